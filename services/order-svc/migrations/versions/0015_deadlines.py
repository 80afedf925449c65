"""Keeps by when an order must be decided, and for which deadline that was told."""

from alembic import op

revision = "0015"
down_revision = "0014"

DEADLINES = (
    # Of an order that is stored already it is filled with its next change; what is decided within days needs no more.
    "alter table orders add column decide_by timestamptz, add column decide_told timestamptz",
    "create index orders_undecided on orders (decide_by) where decide_by is not null",
)


def upgrade() -> None:
    for statement in DEADLINES:
        op.execute(statement)
