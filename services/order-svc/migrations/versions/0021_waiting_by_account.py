"""Tells whose each order is that a consumer has not acknowledged: that of one shop reads nobody else's."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("alter table unacknowledged add column account_id text")
    op.execute("update unacknowledged set account_id = orders.account_id from orders where orders.id = order_id")
    op.execute("alter table unacknowledged alter column account_id set not null")
    op.execute("create index unacknowledged_of_account on unacknowledged (consumer, account_id, order_id)")
    # Of what waits for a system of one shop nearly all is of other shops: by each column alone that cannot be told.
    op.execute("create statistics unacknowledged_whose (mcv) on consumer, account_id from unacknowledged")
    op.execute("alter statistics unacknowledged_whose set statistics 1000")
    # The version before does not say it.
    op.execute("""
        create function say_account() returns trigger language plpgsql as $$
        begin
            new.account_id := (select account_id from orders where id = new.order_id);
            return new;
        end $$
    """)
    op.execute("""
        create trigger say_account before insert on unacknowledged
        for each row when (new.account_id is null) execute function say_account()
    """)
