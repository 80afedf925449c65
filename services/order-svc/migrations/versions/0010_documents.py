"""Makes the tables of printed documents."""

from alembic import op

revision = "0010"
down_revision = "0009"

DOCUMENTS = (
    # `attempt_count` also tells the process that prints now from one that was overtaken.
    """
    create table documents (
        id text primary key,
        kind text not null,
        is_invoice boolean not null,
        order_ids text[] not null,
        account_ids text[] not null,
        asked_by text not null,
        status text not null check (status in ('waiting', 'ready', 'refused')),
        printed_count integer not null default 0,
        left_out json not null default '[]',
        failure json,
        attempt_count integer not null default 0,
        lease_until timestamptz,
        created_at timestamptz not null,
        changed_at timestamptz not null
    )
    """,
    # Erasing a buyer deletes the files that show the order.
    "create index documents_orders on documents using gin (order_ids)",
    "create index documents_waiting on documents (id) where status = 'waiting'",
    "create index documents_age on documents (created_at)",
    """
    create table document_files (
        document_id text primary key references documents (id) on delete cascade,
        version bigint not null,
        sealed bytea not null
    )
    """,
)


def upgrade() -> None:
    for statement in DOCUMENTS:
        op.execute(statement)
