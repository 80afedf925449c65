"""Finds the lines that hold units of a SKU, for when units of theirs left the house for another order."""

from hanro.tables import change

revision = "0006"
down_revision = "0005"

SCHEMA = "catalog"


def upgrade() -> None:
    change(SCHEMA, "create index reservations_holding on reservations (sku) where reserved > 0")
