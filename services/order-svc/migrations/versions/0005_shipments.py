"""Keep what is asked of orders beyond accepting them: parcels to register, also by file, and units to cancel."""

from alembic import op

revision = "0005"
down_revision = "0004"

# How far each is stands in its operation alone; what was asked never changes.
TABLES = (
    """
    create table shipments (
        id text primary key,
        order_id text not null references orders (id),
        account_id text not null,
        operation_id text not null unique references operations (id),
        package_id text,
        lines jsonb not null,
        carrier_code text not null,
        marketplace_value text not null,
        tracking_number text,
        tracking_url text,
        shipped_on date,
        is_last boolean not null,
        replaces_id text references shipments (id),
        replaces_parcel text,
        created_by text not null,
        created_at timestamptz not null
    )
    """,
    "create index shipments_of_order on shipments (order_id, id)",
    "create index shipments_replaced on shipments (replaces_id) where replaces_id is not null",
    "create index shipments_of_account on shipments (account_id, id)",
    """
    create table cancellations (
        id text primary key,
        order_id text not null references orders (id),
        account_id text not null,
        operation_id text not null unique references operations (id),
        units jsonb not null,
        is_whole boolean not null,
        is_shipped boolean not null,
        reason text not null,
        comment text,
        is_restocked boolean,
        created_by text not null,
        created_at timestamptz not null
    )
    """,
    "create index cancellations_of_order on cancellations (order_id, id)",
    # By which carrier an account's parcels go where nobody says so, and what its files call carriers.
    """
    create table carrier_choices (
        account_id text primary key,
        version bigint not null,
        default_carrier text,
        names jsonb not null,
        changed_at timestamptz not null
    )
    """,
    """
    create table shipment_imports (
        id text primary key,
        account_id text not null,
        digest text not null,
        layout text not null,
        is_dry_run boolean not null,
        row_count integer not null,
        refused_count integer not null,
        warnings jsonb not null,
        created_by text not null,
        created_at timestamptz not null
    )
    """,
    "create unique index shipment_imports_once on shipment_imports (account_id, digest) where not is_dry_run",
    "create index shipment_imports_of_account on shipment_imports (account_id, id)",
    """
    create table shipment_import_rows (
        import_id text not null references shipment_imports (id),
        number integer not null,
        external_id text,
        order_id text,
        shipment_id text,
        operation_id text,
        code text,
        detail text,
        column_name text,
        column_number integer,
        primary key (import_id, number)
    )
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
