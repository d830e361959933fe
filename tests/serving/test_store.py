"""What is kept, on both databases: schema, record, retention, accounts, keys, backup."""

import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from serving import cli
from serving.errors import Problem
from serving.logs import described
from serving.roles import COMMAND_LINE, MACHINE
from serving.store import accounts, audit, backup, keys, migrate, retention
from serving.store.engine import Store
from serving.store.schema import ApiKeyRow, AuditRow, Base, PetitionRow

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

DOUBT = "部门存疑楼下烧烤店油烟直排"
AUTO = "楼下烧烤店油烟直排"


def test_migrations_make_exactly_the_tables_of_the_program(office: Any) -> None:
    with office.context.store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_another_schema_version_is_refused(office: Any) -> None:
    store: Store = office.context.store
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(migrate.StoreError, match="0000"):
        store.prepare(auto_migrate=False)


def fill(office: Any) -> None:
    for number in range(3):
        office.submit(f"{AUTO}{number}")


def change_behind_the_back(store: Store, statement: str) -> None:
    """Do what somebody with full access to the database could do: lift the guards first."""
    with store.write() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
        else:
            session.execute(text("DROP TRIGGER audit_log_no_update"))
            session.execute(text("DROP TRIGGER audit_log_no_delete"))
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_log SET actor = 'user:9' WHERE seq = 3", "第 3 条内容被改动"),
        ("DELETE FROM audit_log WHERE seq = 3", "第 3 条缺失"),
        ("UPDATE audit_log SET previous = hash WHERE seq = 3", "第 3 条与前一条不衔接"),
    ],
)
def test_any_tampering_with_the_record_is_found(office: Any, statement: str, fault: str) -> None:
    fill(office)
    store: Store = office.context.store
    with store.read() as session:
        assert audit.verify(session).fault == ""
    change_behind_the_back(store, statement)
    with store.read() as session:
        assert audit.verify(session).fault == fault


def test_a_cut_off_end_is_found_with_a_head_noted_earlier(office: Any) -> None:
    fill(office)
    store: Store = office.context.store
    with store.read() as session:
        report = audit.verify(session)
    fill(office)
    with store.read() as session:
        assert audit.verify(session, known_head=report.head).fault == ""
    change_behind_the_back(store, f"DELETE FROM audit_log WHERE seq >= {report.n_entries:d}")  # noqa: S608
    with store.read() as session:
        assert audit.verify(session).fault == ""
        assert "截去" in audit.verify(session, known_head=report.head).fault


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"])
def test_the_database_itself_refuses_to_change_the_record(office: Any, statement: str) -> None:
    fill(office)
    with pytest.raises(DBAPIError, match="append-only"), office.context.store.write() as session:
        session.execute(text(statement))


def test_a_database_error_is_logged_without_values(office: Any) -> None:
    """PostgreSQL quotes the failing row in its message: the reason why no message is ever logged."""
    statement = text("INSERT INTO petitions (id, content) VALUES (:id, :content)")
    with pytest.raises(DBAPIError) as error, office.context.store.write() as session:
        session.execute(statement, {"id": "P1", "content": "张三的电话"})
    assert "[SQL parameters hidden" in str(error.value)
    assert "张三" not in str(described(error.value))


def test_purging_forgets_texts_and_keeps_figures(office: Any, clock: Any) -> None:
    clerk, reviewer = office.enter("clerk"), office.enter("reviewer")
    old = office.submit(AUTO, external_id="热线-7")
    held = office.claim(office.submit(DOUBT)["id"], clerk)
    labels, reasons = {"department": "ecology_environment"}, {"department": "local_rule"}
    office.decide(held, clerk, action="correct", labels=labels, reasons=reasons, note="现场看过")
    still_open = office.submit(DOUBT)
    clock.advance(days=40)
    fresh = office.submit(AUTO)
    figures = ("by_state", "by_department", "automatic", "corrected", "confusion")
    period = {"since": "2026-01-01T00:00:00Z"}
    before = reviewer.get("/v1/statistics", params=period).json()
    limit = clock() - timedelta(days=30)
    done = retention.purge(office.context.store, older_than=limit, actor=COMMAND_LINE, now=clock())
    assert (done.n_purged, done.n_still_open) == (2, 1)
    after = reviewer.get("/v1/statistics", params=period).json()
    assert {name: after[name] for name in figures} == {name: before[name] for name in figures}
    gone = reviewer.get(f"/v1/petitions/{old['id']}").json()
    assert (gone["content"], gone["external_id"], gone["answer"]["evidence"]) == ("", None, [])
    assert gone["purged_at"]
    assert reviewer.get(f"/v1/petitions/{held['id']}").json()["review"]["note"] == ""
    for kept in (still_open, fresh):
        assert reviewer.get(f"/v1/petitions/{kept['id']}").json()["content"] == kept["content"]
    with office.context.store.read() as session:
        assert audit.page(session, before=None, limit=1)[0].action == "petitions.purged"
        for table in Base.metadata.sorted_tables:
            rows = json.dumps([list(map(str, row)) for row in session.execute(table.select())], ensure_ascii=False)
            assert "热线-7" not in rows, table.name
            assert "现场看过" not in rows, table.name


def test_one_closed_petition_is_purged_at_once_and_only_it(office: Any, clock: Any) -> None:
    store: Store = office.context.store
    clerk = office.enter("clerk")
    named, other, still_open = office.submit(AUTO), office.submit(DOUBT), office.submit(DOUBT)
    held = office.claim(other["id"], clerk)
    labels, reasons = {"department": "ecology_environment"}, {"department": "local_rule"}
    office.decide(held, clerk, action="correct", labels=labels, reasons=reasons, note="转专人办理")
    retention.purge_one(store, other["id"], actor=COMMAND_LINE, now=clock())
    gone = clerk.get(f"/v1/petitions/{other['id']}").json()
    assert (gone["content"], gone["answer"]["evidence"], gone["review"]["note"]) == ("", [], "")
    assert gone["answer"]["predictions"]
    assert clerk.get(f"/v1/petitions/{named['id']}").json()["content"]
    for petition_id, why in ((other["id"], "已在 .* 清除"), (still_open["id"], "还在办"), ("P1", "没有编号为 'P1'")):
        with pytest.raises(retention.RetentionError, match=why):
            retention.purge_one(store, petition_id, actor=COMMAND_LINE, now=clock())
    assert clerk.get(f"/v1/petitions/{still_open['id']}").json()["content"]
    with store.read() as session:
        last = audit.page(session, before=None, limit=1)[0]
        assert (last.action, last.subject) == ("petition.purged", f"petition:{other['id']}")
        assert audit.verify(session).fault == ""


def test_a_purge_keeps_and_records_every_batch_by_itself(
    office: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Store = office.context.store
    for number in range(5):
        office.submit(f"{AUTO}{number}")
    clock.advance(days=40)
    purged = select(func.count()).where(PetitionRow.purged_at.is_not(None))
    forget, seen_by_others = retention._forget, []

    def watched(*arguments: Any) -> None:
        with store.read() as session:
            seen_by_others.append(session.scalar(purged))
        forget(*arguments)

    monkeypatch.setattr(retention, "_BATCH", 2)
    monkeypatch.setattr(retention, "_forget", watched)
    assert retention.purge(store, older_than=clock(), actor=COMMAND_LINE, now=clock()).n_purged == 5
    assert seen_by_others == [0, 2, 4]
    with store.read() as session:
        lines = session.scalars(select(AuditRow).where(AuditRow.action == "petitions.purged").order_by(AuditRow.seq))
        assert [line.detail["purged"] for line in lines] == [2, 2, 1]
        assert audit.verify(session).fault == ""


def test_the_last_administrator_stays(office: Any, clock: Any) -> None:
    store: Store = office.context.store
    now = clock()
    with store.write() as session:
        assert accounts.create_first_admin(session, actor=COMMAND_LINE, now=now)
    with store.write() as session:
        assert accounts.create_first_admin(session, actor=COMMAND_LINE, now=now) is None
        admin = accounts.find(session, "admin")
        assert admin
    changes: list[dict[str, Any]] = [{"disabled": True}, {"role": "clerk"}]
    for change in changes:
        with pytest.raises(Problem, match="last_admin"), store.write() as session:
            accounts.change(session, admin.id, actor=COMMAND_LINE, now=now, **change)
    with store.write() as session:
        accounts.create(session, name="second", display_name="", role="admin", actor=MACHINE, now=now)
        accounts.change(session, admin.id, actor=COMMAND_LINE, now=now, disabled=True)


def test_keys_expire_are_revoked_and_rotate_with_an_overlap(office: Any, clock: Any) -> None:
    store: Store = office.context.store

    def works(key: str) -> bool:
        headers = {"authorization": f"Bearer {key}"}
        return bool(office.client.get("/v1/taxonomy", headers=headers).status_code == 200)

    with store.write() as session:
        row, key = keys.create(
            session,
            name="热线",
            role="service",
            expires_at=clock() + timedelta(days=30),
            actor=COMMAND_LINE,
            now=clock(),
        )
    assert key.startswith(row.prefix)
    assert key not in str(vars(row))
    assert works(key)
    with store.write() as session:
        new_row, new = keys.rotate(session, row.id, overlap=timedelta(hours=1), actor=COMMAND_LINE, now=clock())
    assert works(key)
    assert works(new)
    clock.advance(hours=2)
    assert not works(key)
    assert works(new)
    with store.write() as session:
        keys.revoke(session, new_row.id, actor=COMMAND_LINE, now=clock())
    assert not works(new)
    with store.write() as session:
        _, short = keys.create(
            session,
            name="短期",
            role="clerk",
            expires_at=clock() + timedelta(hours=1),
            actor=COMMAND_LINE,
            now=clock(),
        )
    clock.advance(hours=2)
    assert not works(short)
    assert not works("pk_guess")


def test_a_system_keeps_what_it_submitted_when_its_key_is_rotated(office: Any, clock: Any) -> None:
    store: Store = office.context.store

    def system(key: str) -> TestClient:
        return TestClient(office.client.app, headers={"authorization": f"Bearer {key}"})

    def send(client: TestClient) -> Any:
        return client.post("/v1/petitions", json={"text": AUTO}, headers={"Idempotency-Key": "sent-once-only"})

    with store.write() as session:
        row, key = keys.create(session, name="热线", role="service", expires_at=None, actor=COMMAND_LINE, now=clock())
    sent = send(system(key)).json()
    for _ in range(2):
        clock.advance(hours=1)
        with store.write() as session:
            row, key = keys.rotate(session, row.id, overlap=timedelta(0), actor=COMMAND_LINE, now=clock())
        client = system(key)
        assert client.get(f"/v1/petitions/{sent['id']}").json()["id"] == sent["id"]
        assert send(client).json() == sent
        assert [item["id"] for item in client.get("/v1/petitions").json()["items"]] == [sent["id"]]
    (event,) = client.get(f"/v1/petitions/{sent['id']}/history").json()["items"]
    assert event["actor_name"] == "热线"
    assert office.enter("service", name="热线").get("/v1/petitions").json()["items"] == []


def test_keys_of_the_third_schema_go_on_under_their_own_number(office: Any) -> None:
    service, store = office.enter("service"), office.context.store
    petition = office.submit(AUTO, by=service)
    config = migrate._config()
    with store.engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
    store.prepare(auto_migrate=True)
    assert service.get(f"/v1/petitions/{petition['id']}").status_code == 200
    with store.read() as session:
        number = session.scalars(select(ApiKeyRow.id)).one()
        assert session.scalars(select(PetitionRow.submitted_by)).one() == f"key:{number}"


@pytest.fixture
def empty_database(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/restored/petition.sqlite3"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


def test_a_backup_of_the_running_server_restores_everything(
    office: Any, database_url: str, empty_database: str, tmp_path: Path
) -> None:
    fill(office)
    target = tmp_path / "backup"
    backup.save(database_url, target)
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(migrate.StoreError, match="已存在"):
        backup.save(database_url, target)
    fill(office)
    backup.restore(empty_database, target)
    restored = Store(empty_database)
    restored.prepare(auto_migrate=False)
    with restored.read() as session:
        report = audit.verify(session)
        assert report.fault == ""
        assert session.scalar(text("SELECT count(*) FROM petitions")) == 3
    with pytest.raises(DBAPIError, match="append-only"), restored.write() as session:
        session.execute(text("DELETE FROM audit_log"))
    restored.close()
    with pytest.raises(migrate.StoreError):
        backup.restore(empty_database, target)
    broken = tmp_path / "broken"
    broken.write_text("not a backup")
    with pytest.raises(migrate.StoreError):
        backup.restore(database_url, broken)


@pytest.fixture
def petition(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return a function that runs the program as an operator does and returns what it says."""
    monkeypatch.setenv("PETITION_DATABASE_URL", database_url)

    def run(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["petition", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = "".join(capsys.readouterr())
        assert (ended.value.code or 0) == code, said
        return said

    return run


def test_the_commands_of_docs_deployment_back_up_and_restore(
    office: Any, petition: Callable[..., str], empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(office)
    head = re.search(r"链头 ([0-9a-f]{64})", petition("audit", "verify"))
    assert head
    assert "已备份" in petition("backup", "save", str(tmp_path / "copy"))
    assert "已存在" in petition("backup", "save", str(tmp_path / "copy"), code=2)
    monkeypatch.setenv("PETITION_DATABASE_URL", empty_database)
    assert "没有备份文件" in petition("backup", "restore", str(tmp_path / "none"), code=2)
    assert "已从" in petition("backup", "restore", str(tmp_path / "copy"))
    assert "审计链完好" in petition("audit", "verify", "--head", head[1])


def test_the_command_line_does_the_administration(office: Any, petition: Callable[..., str]) -> None:
    office.submit(AUTO)
    assert "一次性口令" in petition("user", "add", "li.si", "--role", "reviewer")
    assert "li.si\treviewer\t可用" in petition("user", "list")
    assert "没有角色" in petition("user", "add", "x.y", "--role", "king", code=2)
    key = next(line for line in petition("key", "add", "热线").splitlines() if line.startswith("pk_"))
    assert key[:11] in petition("key", "list")
    petition("key", "rotate", "2", "--overlap-hours", "1")
    assert re.search(r"^2\t.*\d\d:\d\d 作废\t热线$", petition("key", "list"), re.MULTILINE)
    petition("key", "revoke", "2")
    assert re.search(r"^2\t.*\t已作废\t热线$", petition("key", "list"), re.MULTILINE)
    assert "已清除 1 件" in petition("purge", "--older-than", "30d", "--yes")
    head = re.search(r"链头 ([0-9a-f]{64})", petition("audit", "verify"))
    assert head
    assert "审计链完好" in petition("audit", "verify", "--head", head[1])
    change_behind_the_back(office.context.store, "UPDATE audit_log SET action = 'x' WHERE seq = 2")
    assert "第 2 条内容被改动" in petition("audit", "verify", code=1)
