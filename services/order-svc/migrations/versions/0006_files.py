"""Tells orders that a file alone told of, and whether they hold stock."""

from hanro.tables import change

revision = "0006"
down_revision = "0005"

SCHEMA = "orders"

ORDERS = (
    "alter table orders add column reserves_stock boolean not null default true",
    "alter table orders add column is_from_file boolean not null default false",
)


def upgrade() -> None:
    change(SCHEMA, *ORDERS)
