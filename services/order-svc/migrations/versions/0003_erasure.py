"""Keeps when the buyer of an order was erased."""

from hanro.tables import change

revision = "0003"
down_revision = "0002"

SCHEMA = "orders"


def upgrade() -> None:
    change(SCHEMA, "alter table orders add column erased_at timestamptz")
