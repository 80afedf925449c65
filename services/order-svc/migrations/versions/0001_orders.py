"""Make the tables of order-svc, version 1."""

from hanro.tables import make_1

revision = "0001"
down_revision = None

SCHEMA = "orders"

TABLES = (
    """
    create table "{schema}".accounts (
        id text primary key,
        version bigint not null,
        epoch bigint not null,
        marketplace_id text not null,
        display_name text not null,
        state text not null,
        is_enabled boolean not null,
        reason_code text,
        credential_version bigint not null,
        orders_from timestamptz,
        shop_ids text[] not null,
        paused_until timestamptz,
        paused_version bigint
    )
    """,
    'create index accounts_shops on "{schema}".accounts using gin (shop_ids)',
    # Locking the cursors of an account is what makes two finders of one new order take turns.
    """
    create table "{schema}".cursors (
        account_id text not null,
        route text not null,
        covered_until timestamptz,
        window_start timestamptz,
        window_end timestamptz,
        position text,
        primary key (account_id, route),
        check ((window_start is null) = (window_end is null)),
        check (position is null or window_start is not null)
    )
    """,
    # Documents are json and not jsonb: a NUL that a marketplace sends must survive, and nothing is searched inside.
    """
    create table "{schema}".orders (
        id text primary key,
        account_id text not null,
        account_epoch bigint not null,
        marketplace_id text not null,
        external_id text not null,
        version bigint not null check (version > 0),
        status text not null check (status in (
            'pending', 'new', 'accepted', 'ready', 'on_hold', 'shipped', 'completed', 'cancelling', 'cancelled'
        )),
        work_state text not null,
        placed_at timestamptz not null,
        placed_local text not null,
        first_seen_by text not null,
        seen_at timestamptz not null,
        is_quarantined boolean not null,
        quarantine_code text,
        quarantine_why text,
        is_backfilled boolean not null,
        is_test boolean not null,
        document json not null,
        sheet json not null,
        raw_hash bytea not null,
        reading_hash bytea not null,
        created_at timestamptz not null,
        changed_at timestamptz not null,
        followed_at timestamptz not null,
        unique (account_id, external_id)
    )
    """,
    'create index orders_of_account on "{schema}".orders (account_id, id)',
    'create index orders_by_status on "{schema}".orders (account_id, status, followed_at)',
    'create index orders_external on "{schema}".orders (external_id)',
    'create index orders_quarantined on "{schema}".orders (id) where is_quarantined',
    # Who bought, where it goes, what was written: one sealed row an order, deleted when the buyer is erased.
    """
    create table "{schema}".buyers (
        order_id text primary key references "{schema}".orders (id),
        version bigint not null,
        sealed bytea not null
    )
    """,
    # The order's bytes as the marketplace sent them, sealed.
    """
    create table "{schema}".raw_orders (
        order_id text primary key references "{schema}".orders (id),
        version bigint not null,
        sealed bytea not null
    )
    """,
    # Who was told a buyer's contact, and what for.
    """
    create table "{schema}".contact_uses (
        id bigint generated always as identity primary key,
        order_id text not null,
        subject text not null,
        purpose text not null,
        used_at timestamptz not null
    )
    """,
    'create index contact_uses_of_order on "{schema}".contact_uses (order_id, id)',
)


def upgrade() -> None:
    make_1(SCHEMA, *TABLES)
