"""Keeps how well each route is read: its last run, what a window cost, what went wrong, and gaps out of its reach."""

from hanro.tables import change

revision = "0004"
down_revision = "0003"

SCHEMA = "orders"

CURSORS = (
    "alter table cursors add column last_run_at timestamptz",
    "alter table cursors add column last_done_at timestamptz",
    "alter table cursors add column request_count bigint not null default 0",
    "alter table cursors add column last_request_count bigint",
    "alter table cursors add column error_code text",
    "alter table cursors add column error_why text",
    "alter table cursors add column error_at timestamptz",
    "alter table cursors add column gap_start timestamptz",
    "alter table cursors add column gap_end timestamptz",
    "alter table cursors add constraint cursors_gap check ((gap_start is null) = (gap_end is null))",
)


def upgrade() -> None:
    change(SCHEMA, *CURSORS)
