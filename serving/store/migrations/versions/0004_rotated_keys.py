"""As which key a rotated one acts; the keys there are go on each under its own number."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("acts_as", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("api_keys", "acts_as")
