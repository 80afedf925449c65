"""Lets terms stand without a foreign key: no order is ever deleted, and the check of each cost as much as its row."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("alter table order_terms drop constraint order_terms_order_id_fkey")
    op.execute("alter table buyer_terms drop constraint buyer_terms_order_id_fkey")
