"""Finds the orders whose units somebody moved by hand."""

from hanro.tables import change

revision = "0003"
down_revision = "0002"

SCHEMA = "catalog"


def upgrade() -> None:
    change(SCHEMA, "create index movements_of_order on movements (order_id) where order_id is not null")
