"""Matter keys in place of sentence vectors; what is kept already gets its keys from the masked text."""

import sqlalchemy as sa
from alembic import op

from nlp.related import keys_to_bytes, matter_keys

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEPT = sa.text(
    "SELECT fingerprints.seq, petitions.content FROM fingerprints "
    "JOIN petitions ON petitions.id = fingerprints.petition_id "
    "WHERE fingerprints.seq > :after ORDER BY fingerprints.seq LIMIT 500"
)


def upgrade() -> None:
    op.add_column("fingerprints", sa.Column("matter_keys", sa.LargeBinary(), nullable=True))
    _fill()
    with op.batch_alter_table("fingerprints") as table:
        table.alter_column("matter_keys", existing_type=sa.LargeBinary(), nullable=False)
        table.drop_column("vector")
        table.drop_column("bundle_id")


def _fill() -> None:
    connection, after = op.get_bind(), 0
    fill = sa.text("UPDATE fingerprints SET matter_keys = :keys WHERE seq = :seq")
    while rows := connection.execute(KEPT, {"after": after}).all():
        keys = [{"seq": seq, "keys": keys_to_bytes(matter_keys(content))} for seq, content in rows]
        connection.execute(fill, keys)
        after = rows[-1][0]


def downgrade() -> None:
    op.add_column("fingerprints", sa.Column("vector", sa.LargeBinary(), nullable=True))
    op.add_column("fingerprints", sa.Column("bundle_id", sa.String(length=200), nullable=True))
    empty = sa.text("UPDATE fingerprints SET vector = :vector, bundle_id = ''")
    op.get_bind().execute(empty, {"vector": b""})
    with op.batch_alter_table("fingerprints") as table:
        table.alter_column("vector", existing_type=sa.LargeBinary(), nullable=False)
        table.alter_column("bundle_id", existing_type=sa.String(length=200), nullable=False)
        table.drop_column("matter_keys")
