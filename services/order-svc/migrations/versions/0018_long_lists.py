"""Lets lists of very many orders be narrowed at once: by days by their ids alone, by what a line is mapped to.

An order apart was placed long before it was found, or after; until they are stored again all that there are count as
such, and so does what the version before stores.
"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("alter table orders add column is_placed_apart boolean not null default true")
    op.execute("create index orders_placed_apart on orders (account_id, placed_at) where is_placed_apart")
    op.execute("drop index orders_placed")
    op.execute("drop index orders_at_work")
    op.execute("""
        create index orders_at_work on orders (account_id, work_state, id)
        where work_state in ('new', 'in_progress', 'cancelled')
    """)
    # The one follows the other nearly always: taken for two chances, the planner would look for what is not there.
    op.execute("create statistics orders_states on status, work_state from orders")
    op.execute("create index mappings_by_sku on mappings (lower(normalize(sku, NFKC)))")
