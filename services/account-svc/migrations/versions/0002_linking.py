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

AUDIT = (
    """
    create table audit_entries (
        position bigint generated always as identity (cache 1) primary key,
        at timestamptz not null,
        subject text not null,
        action text not null,
        account_id text,
        shop_ids text[] not null,
        changed text[] not null,
        correlation_id text
    )
    """,
    "create index audit_entries_account on audit_entries (account_id, position)",
    "create index audit_entries_age on audit_entries using brin (at)",
)


def upgrade() -> None:
    make_2("account")
    for statement in (*ACCOUNTS, *AUDIT):
        op.execute(statement)
