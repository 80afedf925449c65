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

CHECKLIST = (
    """
    create table checklist_ticks (
        position bigint generated always as identity (cache 1) primary key,
        account_id text not null references accounts,
        prerequisite_id text not null,
        state text not null,
        at timestamptz not null,
        start_day date,
        ticked_by text not null,
        ticked_at timestamptz not null
    )
    """,
    "create index checklist_ticks_account on checklist_ticks (account_id, prerequisite_id, position desc)",
)

SHEETS = (
    """
    create table application_sheets (
        account_id text primary key references accounts,
        version integer not null check (version > 0),
        sealed bytea not null,
        changed_at timestamptz not null,
        changed_by text not null,
        sent_version integer,
        sent_at timestamptz,
        sent_by text
    )
    """,
)


def upgrade() -> None:
    make_2("account")
    for statement in (*ACCOUNTS, *SHOPS, *CHECKLIST, *SHEETS):
        op.execute(statement)
