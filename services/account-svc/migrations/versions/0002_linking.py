"""Makes what linking an account whole needs: switches, issuers, and which shop an account is."""

from alembic import op

from hanro.tables import make_2

revision = "0002"
down_revision = "0001"

ACCOUNTS = (
    "alter table accounts add column switches jsonb not null default '{}'",
    "alter table accounts add column issuer jsonb",
    "alter table accounts add column shop_key text",
    "create unique index accounts_shop_key on accounts (marketplace_id, shop_key) where state <> 'unlinked'",
)

PREFLIGHTS = (
    # One that runs has neither yet.
    "alter table preflights alter column standing drop not null",
    "alter table preflights alter column finished_at drop not null",
    "alter table preflights add column total_count integer not null default 0",
    "alter table preflights add column expected_at timestamptz",
    "create unique index preflights_open on preflights (account_id) where finished_at is null",
)
SHOPS = ("alter table shops add column version integer not null default 1",)


def upgrade() -> None:
    make_2("account")
    for statement in (*ACCOUNTS, *SHOPS, *PREFLIGHTS):
        op.execute(statement)
