"""Fingerprints of petitions, by which related ones are found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
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


def downgrade() -> None:
    op.drop_table("fingerprints")
