"""Keeps how many units of a line left stock, and how many of them came back into it."""

from hanro.tables import change

revision = "0004"
down_revision = "0003"

SCHEMA = "catalog"


def upgrade() -> None:
    change(
        SCHEMA,
        "alter table reservations add column gone integer not null default 0",
        "alter table reservations add column restocked integer not null default 0",
    )
