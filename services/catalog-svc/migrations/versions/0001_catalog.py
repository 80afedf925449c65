"""Makes the catalogue's tables: products, stock, listings, reservations, and what all services share."""

from hanro.tables import make_1

revision = "0001"
down_revision = None

SCHEMA = "catalog"

TABLES = (
    """
    create table accounts (
        id text primary key,
        marketplace_id text,
        state text,
        epoch integer not null default 0,
        shop_ids text[] not null default '{}'
    )
    """,
    """
    create table products (
        code text primary key,
        title text not null,
        version integer not null check (version > 0),
        changed_at timestamptz not null default catalog.now()
    )
    """,
    """
    create table variants (
        sku text primary key,
        product_code text not null references products on delete cascade,
        place integer not null,
        title text not null,
        barcode text
    )
    """,
    "create index on variants (product_code)",
    """
    create table stock (
        id text primary key,
        sku text not null unique references variants,
        version integer not null default 0,
        on_hand integer not null default 0 check (on_hand >= 0),
        committed integer not null default 0 check (committed >= 0),
        safety_buffer integer not null default 0 check (safety_buffer >= 0),
        short_count integer not null default 0 check (short_count >= 0),
        changed_at timestamptz not null default catalog.now(),
        check (committed <= on_hand)
    )
    """,
    """
    create table movements (
        position bigint generated always as identity (cache 1) primary key,
        sku text not null,
        at timestamptz not null default catalog.now(),
        delta integer not null,
        on_hand_after integer not null,
        cause text not null,
        note text,
        order_id text,
        by text not null
    )
    """,
    "create index on movements (sku, position desc)",
    """
    create table listings (
        id text primary key,
        account_id text not null references accounts,
        match_key text not null,
        keys jsonb not null,
        sku text not null references variants,
        version integer not null check (version > 0),
        unique (account_id, match_key)
    )
    """,
    "create index on listings (sku)",
    """
    create table reservations (
        order_id text not null,
        line_id text not null,
        account_id text not null,
        external_id text not null,
        placed_at timestamptz not null,
        match_key text,
        title text not null,
        sku text references variants,
        wanted integer not null check (wanted >= 0),
        reserved integer not null check (reserved >= 0),
        shipped integer not null check (shipped >= 0),
        primary key (order_id, line_id),
        check (reserved <= wanted),
        check (sku is not null or reserved = 0)
    )
    """,
    "create index on reservations (account_id, match_key)",
    # Who waits for units of a SKU, oldest order first.
    "create index on reservations (sku, placed_at, order_id, line_id) where reserved < wanted",
)


def upgrade() -> None:
    make_1(SCHEMA, *TABLES)
