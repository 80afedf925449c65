"""Copies who issues qualified invoices for an account."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("alter table accounts add column issuer jsonb")
