"""Keeps files of orders that are taken in: the file, sealed, until it is done, and what became of each row."""

from hanro.tables import change

revision = "0012"
down_revision = "0011"

SCHEMA = "orders"

IMPORTS = (
    # What an upload that has not ended does not know yet is empty.
    """
    create table imports (
        id text primary key,
        account_id text not null default '',
        account_epoch bigint not null default 0,
        marketplace_id text not null default '',
        asked_by text not null default '',
        mode text not null default 'update' check (mode in ('update', 'overwrite')),
        is_dry_run boolean not null default false,
        reserves_stock boolean not null default false,
        state text not null check (state in ('uploading', 'accepted', 'reading', 'storing', 'done', 'failed')),
        layout text not null default '',
        layout_version text not null default '',
        encoding text not null default '',
        columns text[] not null default '{}',
        unknown_columns text[] not null default '{}',
        absent_columns text[] not null default '{}',
        size_bytes bigint not null default 0,
        position bigint not null default 0,
        next_row integer not null default 1,
        row_count integer not null default 0,
        done_count integer not null default 0,
        refused_count integer not null default 0,
        new_count integer not null default 0,
        changed_count integer not null default 0,
        unchanged_count integer not null default 0,
        failure jsonb,
        created_at timestamptz not null,
        changed_at timestamptz not null,
        finished_at timestamptz,
        lease_until timestamptz,
        fence bigint not null default 0
    )
    """,
    "create index imports_open on imports (id) where state in ('accepted', 'reading', 'storing')",
    "create index imports_of_account on imports (account_id, id)",
    # The file as it was sent, sealed piece by piece; gone once it is done.
    """
    create table import_chunks (
        id text primary key,
        import_id text not null references imports (id) on delete cascade,
        number integer not null,
        sealed bytea not null
    )
    """,
    "create index import_chunks_of_import on import_chunks (import_id)",
    # Where each row stands and what became of it; nothing that it says.
    """
    create table import_rows (
        import_id text not null references imports (id) on delete cascade,
        number integer not null,
        start bigint not null,
        length integer not null,
        group_key bytea not null,
        outcome text check (outcome in ('new', 'changed', 'unchanged', 'refused')),
        order_id text,
        fault jsonb,
        primary key (import_id, number)
    )
    """,
    "create index import_rows_waiting on import_rows (import_id, number) where outcome is null",
    "create index import_rows_of_order on import_rows (import_id, group_key)",
)


def upgrade() -> None:
    change(SCHEMA, *IMPORTS)
