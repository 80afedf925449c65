"""Makes the table of what accounts leave to hanro: whether it accepts their orders by itself."""

from alembic import op

revision = "0013"
down_revision = "0012"

POLICIES = """
    create table acceptance_policies (
        account_id text primary key,
        version bigint not null check (version > 0),
        accept text not null check (accept in ('manual', 'automatic')),
        changed_at timestamptz not null
    )
"""


def upgrade() -> None:
    op.execute(POLICIES)
