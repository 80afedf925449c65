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
KEYS = (
    """
    create table spare_credentials (
        account_id text primary key references accounts,
        version integer not null check (version > 0),
        registration_id text not null,
        field_names text[] not null,
        sealed bytea not null,
        stored_at timestamptz not null,
        stored_by text not null,
        state text not null check (state in ('waiting', 'settling', 'refused', 'retiring')),
        since timestamptz not null,
        until timestamptz,
        reason jsonb
    )
    """,
    # A version is given to one set of credentials alone, also when that set was withdrawn.
    "create table credential_counters (account_id text primary key references accounts, newest integer not null)",
    """
    create table expiry_warnings (
        account_id text not null,
        field text not null,
        credential_version integer not null,
        threshold_days integer not null,
        expires_at timestamptz not null,
        warned_at timestamptz not null,
        primary key (account_id, field, credential_version, threshold_days)
    )
    """,
)

MARKET = (
    """
    create table market_reads (
        account_id text primary key,
        read_at timestamptz,
        failure jsonb,
        failed_at timestamptz
    )
    """,
    """
    create table market_kinds (
        account_id text not null,
        kind text not null,
        is_typed boolean not null,
        known_at timestamptz,
        absent jsonb,
        failure jsonb,
        failed_at timestamptz,
        primary key (account_id, kind)
    )
    """,
    """
    create table market_entries (
        account_id text not null,
        kind text not null,
        position integer not null,
        external_id text not null,
        name text not null,
        is_default boolean not null,
        parent_id text,
        details jsonb not null,
        primary key (account_id, kind, position),
        unique (account_id, kind, external_id)
    )
    """,
    """
    create table market_changes (
        position bigint generated always as identity (cache 1) primary key,
        account_id text not null,
        kind text not null,
        what text not null,
        external_id text,
        name text not null,
        old_name text,
        fields text[] not null,
        changed_at timestamptz not null,
        changed_by text not null
    )
    """,
    "create index market_changes_account on market_changes (account_id, position)",
    "create index market_changes_age on market_changes using brin (changed_at)",
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
    for statement in (*ACCOUNTS, *MARKET, *SHOPS, *KEYS, *CHECKLIST, *SHEETS, *UNLINKING, *PREFLIGHTS):
        op.execute(statement)
