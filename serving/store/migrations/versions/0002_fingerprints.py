"""Fingerprints of petitions, by which related ones are found; what is kept already gets one without a vector."""

import sqlalchemy as sa
from alembic import op

from nlp.related import sign, text_digest, to_bytes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEPT = sa.text(
    "SELECT audit_log.seq, petitions.id, petitions.content FROM petitions "
    "JOIN audit_log ON audit_log.subject = 'petition:' || petitions.id AND audit_log.action = 'petition.submitted' "
    "WHERE petitions.purged_at IS NULL AND audit_log.seq > :after ORDER BY audit_log.seq LIMIT 500"
)


def upgrade() -> None:
    table = op.create_table(
        "fingerprints",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("petition_id", sa.String(length=20), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("bundle_id", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["petition_id"], ["petitions.id"], name=op.f("fk_fingerprints_petition_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_fingerprints")),
        sa.UniqueConstraint("petition_id", name=op.f("uq_fingerprints_petition_id")),
    )
    connection, after = op.get_bind(), 0
    while rows := connection.execute(KEPT, {"after": after}).all():
        connection.execute(
            table.insert(),
            [
                {
                    "seq": seq,
                    "petition_id": petition_id,
                    "signature": to_bytes(sign(content)),
                    "digest": text_digest(content).to_bytes(8, "little"),
                    "vector": b"",  # the model is not at hand here
                    "bundle_id": "",
                }
                for seq, petition_id, content in rows
            ],
        )
        after = rows[-1][0]


def downgrade() -> None:
    op.drop_table("fingerprints")
