"""Makes account-svc's tables: shops, accounts, credentials, preflights, and what all services share."""

from hanro.tables import make_1

revision = "0001"
down_revision = None

SCHEMA = "account"

TABLES = (
    """
    create table shops (
        id text primary key,
        display_name text not null,
        created_at timestamptz not null
    )
    """,
    """
    create table accounts (
        id text primary key,
        marketplace_id text not null,
        display_name text not null,
        shop_ids text[] not null check (cardinality(shop_ids) > 0),
        orders_from timestamptz,
        state text not null check (
            state in ('draft', 'pending_approval', 'active', 'degraded', 'suspended', 'unlinking', 'unlinked')
        ),
        is_enabled boolean not null,
        reason jsonb,
        grants jsonb not null,
        lost_capabilities text[] not null,
        credential_version integer not null,
        epoch integer not null,
        version integer not null check (version > 0),
        created_at timestamptz not null,
        changed_at timestamptz not null
    )
    """,
    "create index accounts_shops on accounts using gin (shop_ids)",
    """
    create table credentials (
        account_id text primary key references accounts,
        version integer not null check (version > 0),
        registration_id text not null,
        field_names text[] not null,
        sealed bytea not null,
        stored_at timestamptz not null,
        stored_by text not null
    )
    """,
    """
    create table credential_uses (
        position bigint generated always as identity (cache 1) primary key,
        account_id text not null,
        credential_version integer not null,
        caller text not null,
        service text not null,
        purpose text not null,
        used_at timestamptz not null
    )
    """,
    "create index credential_uses_account on credential_uses (account_id, position)",
    "create index credential_uses_age on credential_uses using brin (used_at)",
    """
    create table preflights (
        id text primary key,
        account_id text not null references accounts,
        credential_version integer not null,
        standing text not null,
        started_at timestamptz not null,
        finished_at timestamptz not null,
        found jsonb not null
    )
    """,
    "create index preflights_account on preflights (account_id, id)",
    "create index preflights_age on preflights using brin (finished_at)",
    """
    create table grant_uses (
        account_id text not null,
        service text not null,
        grant_id text not null,
        credential_version integer not null,
        succeeded_at timestamptz,
        refused_at timestamptz,
        refusal_code text,
        primary key (account_id, service, grant_id)
    )
    """,
    """
    create table key_expiries (
        account_id text not null,
        field text not null,
        source text not null,
        expires_at timestamptz,
        expires_local text,
        credential_version integer not null,
        read_at timestamptz not null,
        primary key (account_id, field)
    )
    """,
    """
    create table expiry_failures (
        account_id text primary key,
        code text not null,
        why text not null,
        first_at timestamptz not null,
        last_at timestamptz not null
    )
    """,
)


def upgrade() -> None:
    make_1(SCHEMA, *TABLES)
