"""Keeps by what orders are found, whose buyers by digests alone, and which change a consumer has not acknowledged."""

from hanro.tables import change

revision = "0011"
down_revision = "0010"

SCHEMA = "orders"

TABLES = (
    """
    create table order_terms (
        kind text not null,
        value text not null,
        order_id text not null references orders (id),
        primary key (kind, value, order_id)
    )
    """,
    "create index order_terms_of_order on order_terms (order_id)",
    # What a buyer is called and where it is rung is only kept as what a key makes of it.
    """
    create table buyer_terms (
        kind text not null,
        digest bytea not null,
        order_id text not null references orders (id),
        primary key (kind, digest, order_id)
    )
    """,
    "create index buyer_terms_of_order on buyer_terms (order_id)",
    "create table consumers (name text primary key, known_since timestamptz not null)",
    # What a consumer has to look at: a row for each order that changed since it acknowledged it last.
    """
    create table unacknowledged (
        consumer text not null references consumers (name),
        order_id text not null references orders (id),
        primary key (consumer, order_id)
    )
    """,
    "create index orders_at_work on orders (account_id, work_state, id) where work_state in ('new', 'in_progress')",
    "create index orders_placed on orders (account_id, placed_at)",
    "create index orders_changed on orders (account_id, changed_at)",
    "create index orders_test on orders (account_id, id) where is_test",
    "create index operations_failed on operations (subject_id, kind, id) where status in ('rejected', 'in_doubt')",
)


def upgrade() -> None:
    change(SCHEMA, *TABLES)
