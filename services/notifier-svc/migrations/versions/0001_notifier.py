"""Make the tables of notifier-svc, version 1."""

from hanro.tables import make_1

revision = "0001"
down_revision = None

SCHEMA = "notifier"

TABLES = (
    """
    create table "{schema}".accounts (
        id text primary key,
        version bigint not null,
        epoch bigint not null,
        marketplace_id text not null,
        display_name text not null,
        state text not null,
        is_enabled boolean not null,
        credential_version bigint not null,
        shop_ids text[] not null,
        paused_until timestamptz,
        pause_code text,
        pause_count integer not null default 0
    )
    """,
    'create index accounts_shops on "{schema}".accounts using gin (shop_ids)',
    """
    create table "{schema}".templates (
        name text primary key,
        version bigint not null check (version > 0)
    )
    """,
    """
    create table "{schema}".template_versions (
        name text not null references "{schema}".templates (name),
        version bigint not null,
        subject text not null,
        body text not null,
        saved_at timestamptz not null,
        saved_by text not null,
        primary key (name, version)
    )
    """,
    # No row: the trigger is blank, and nothing is sent.
    """
    create table "{schema}".bindings (
        account_id text not null references "{schema}".accounts (id),
        trigger text not null,
        template text not null references "{schema}".templates (name),
        channel text not null check (channel in ('api', 'relay')),
        bound_at timestamptz not null,
        changed_by text not null,
        primary key (account_id, trigger)
    )
    """,
    # `next_at` is when a sender may look at a row; a claim moves it on, and past it the claim has lapsed.
    """
    create table "{schema}".messages (
        id text primary key,
        account_id text not null,
        account_epoch bigint not null,
        marketplace_id text not null,
        order_id text not null,
        order_external_id text not null,
        trigger text not null,
        occurrence integer not null check (occurrence > 0),
        channel text not null check (channel in ('api', 'relay')),
        template text not null,
        state text not null
            check (state in ('planned', 'sending', 'handed_over', 'refused', 'in_doubt', 'suppressed')),
        reason_code text,
        milestone_at timestamptz not null,
        planned_at timestamptz not null,
        expires_at timestamptz not null,
        changed_at timestamptz not null,
        next_at timestamptz,
        version bigint not null,
        attempt integer not null,
        failure_count integer not null,
        template_version bigint,
        mail_id text,
        answer text,
        handed_over_at timestamptz,
        decision text check (decision in ('sent_there', 'send_again', 'give_up')),
        decided_by text,
        decided_at timestamptz,
        unique (order_id, trigger, occurrence),
        check ((next_at is not null) = (state in ('planned', 'sending')))
    )
    """,
    "create index messages_planned on \"{schema}\".messages (account_id, next_at, id) where state = 'planned'",
    "create index messages_sending on \"{schema}\".messages (next_at) where state = 'sending'",
    'create index messages_account on "{schema}".messages (account_id, id)',
    "create index messages_unsettled on \"{schema}\".messages (state, id) where state in ('in_doubt', 'refused')",
    # Milestones that nothing was bound to: so that the history can say why nobody was told.
    """
    create table "{schema}".skips (
        order_id text not null,
        trigger text not null,
        occurrence integer not null,
        account_id text not null,
        reason_code text not null,
        milestone_at timestamptz not null,
        primary key (order_id, trigger, occurrence)
    )
    """,
)


def upgrade() -> None:
    make_1(SCHEMA, *TABLES)
