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

SHOPS = ("alter table shops add column version integer not null default 1",)

UNLINKING = (
    # What each service said it holds of an account, and up to which epoch it let go.
    """
    create table holdings (
        account_id text not null references accounts,
        service text not null,
        account_epoch integer not null,
        released_epoch integer,
        counts jsonb not null,
        counted_at timestamptz not null,
        primary key (account_id, service)
    )
    """,
    "create index accounts_of_shop on accounts (marketplace_id, shop_key) where shop_key is not null",
)


def upgrade() -> None:
    make_2("account")
    for statement in (*ACCOUNTS, *SHOPS, *UNLINKING):
        op.execute(statement)
