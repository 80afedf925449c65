"""Remembers when payments of an order were looked at last; what they told of refunds stands in its document."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("alter table orders add column refunds_read_at timestamptz")
