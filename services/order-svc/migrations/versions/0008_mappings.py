"""Keeps which offer is mapped to which SKU, and the keys that a quarantined order waits for."""

from hanro.tables import change

revision = "0008"
down_revision = "0007"

SCHEMA = "orders"

MAPPINGS = """
    create table mappings (
        account_id text not null,
        match_key text not null,
        account_epoch bigint not null,
        listing_id text not null,
        sku text not null,
        primary key (account_id, match_key)
    )
"""


def upgrade() -> None:
    change(
        SCHEMA,
        MAPPINGS,
        "alter table orders add column unmapped_keys text[] not null default '{}'",
        "create index orders_unmapped on orders using gin (unmapped_keys) where unmapped_keys <> '{}'",
    )
