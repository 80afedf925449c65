"""Copies what an account may do; keeps plans of what was only observed, and tests of senders."""

from hanro.tables import make_2

revision = "0002"
down_revision = "0001"

SCHEMA = "notifier"

ACCOUNTS = (
    "alter table accounts add column switches jsonb not null default '{}'",
    "alter table accounts add column lost_capabilities text[] not null default '{}'",
    "alter table accounts add column lost_grants text[] not null default '{}'",
)

MESSAGES = (
    "alter table messages add column plan jsonb",
    "alter table messages add column is_test boolean not null default false",
    # A test is about no order.
    "alter table messages alter column order_id drop not null, alter column order_external_id drop not null",
    "alter table messages add constraint messages_order check (is_test = (order_id is null))",
    "create index messages_tests on messages (account_id, id) where is_test",
)


def upgrade() -> None:
    make_2(SCHEMA, *ACCOUNTS, *MESSAGES)
