"""Backup and restore: SQLite by its own online copy, PostgreSQL by pg_dump and pg_restore."""

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from sqlalchemy import URL, make_url

from serving.store.migrate import StoreError


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise StoreError(f"{target} 已存在；请另选文件名，不覆盖已有备份。")


def save(url: str, target: Path) -> None:
    """Write a consistent copy of the running database to `target`, readable by its owner only.

    Nothing half-written stays behind: the copy is made beside `target` and moved there when whole.
    Raises StoreError.
    """
    _refuse_existing(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _copy_sqlite(_sqlite_path(parsed), part)
        else:
            _run_postgres(parsed, "pg_dump", "--format=custom", "--no-owner", f"--file={part}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, source: Path) -> None:
    """Fill an empty database from the backup `source`; raises StoreError for one that is not empty."""
    if not source.is_file():
        raise StoreError(f"没有备份文件 {source}。")
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = _sqlite_path(parsed)
        _refuse_existing(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(path.name + ".part")
        _copy_sqlite(source, part)
        part.replace(path)
        return
    _run_postgres(
        parsed, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction",
        f"--dbname={parsed.database}", str(source),
    )  # fmt: skip


def _sqlite_path(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise StoreError("内存数据库不能备份。")
    return Path(url.database)


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise StoreError(f"没有数据库文件 {source}。")
    try:
        with sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True) as from_db:
            to_db = sqlite3.connect(target)
            try:
                from_db.backup(to_db)
                if to_db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    raise StoreError(f"{source} 未通过完整性检查。")
            finally:
                to_db.close()
        from_db.close()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{source} 不是可用的 SQLite 数据库：{error}") from error


def _run_postgres(url: URL, program: str, *arguments: str) -> None:
    """Run a PostgreSQL program on the database of `url`; the password travels in the environment."""
    found = shutil.which(program) or _newest(program)
    if found is None:
        raise StoreError(f"找不到 {program}；请安装 postgresql-client。")
    host = url.query.get("host", url.host or "")
    parts = {
        "PGHOST": host if isinstance(host, str) else host[0],
        "PGPORT": str(url.port or ""),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
    }
    environment = os.environ | {name: value for name, value in parts.items() if value}
    done = subprocess.run(  # noqa: S603  a fixed program, arguments of ours
        [found, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StoreError(f"{program} 失败：{done.stderr.strip().splitlines()[-1:] or '无说明'}")


def _newest(program: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(found[-1]) if found else None
