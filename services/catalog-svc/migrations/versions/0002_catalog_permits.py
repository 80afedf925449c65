"""Copies what an account may do: switches, lost capabilities and grants."""

from hanro.tables import make_2

revision = "0002"
down_revision = "0001"

SCHEMA = "catalog"

ACCOUNTS = (
    "alter table accounts add column is_enabled boolean not null default true",
    "alter table accounts add column switches jsonb not null default '{}'",
    "alter table accounts add column lost_capabilities text[] not null default '{}'",
    "alter table accounts add column lost_grants text[] not null default '{}'",
)


def upgrade() -> None:
    make_2(SCHEMA, *ACCOUNTS)
