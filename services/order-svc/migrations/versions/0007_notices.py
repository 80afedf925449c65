"""Keeps what marketplaces pushed: hints to read orders at once."""

from hanro.tables import change

revision = "0007"
down_revision = "0006"

SCHEMA = "orders"

NOTICES = (
    """
    create table notices (
        account_id text not null,
        external_id text not null,
        kind text not null,
        order_ids text[] not null,
        told_at timestamptz,
        received_at timestamptz not null,
        handled_at timestamptz,
        primary key (account_id, external_id)
    )
    """,
    "create index notices_waiting on notices (account_id, received_at) where handled_at is null",
    "create index notices_age on notices (received_at)",
)


def upgrade() -> None:
    change(SCHEMA, *NOTICES)
