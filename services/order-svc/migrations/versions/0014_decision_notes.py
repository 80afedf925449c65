"""Makes the table of what is written to buyers with a decision, until it is told."""

from alembic import op

revision = "0014"
down_revision = "0013"

NOTES = (
    # Apart from the operation, which is kept: a note may be about the buyer.
    """
    create table decision_notes (
        operation_id text primary key,
        order_id text not null,
        note text not null
    )
    """,
    "create index decision_notes_of_order on decision_notes (order_id)",
)


def upgrade() -> None:
    for statement in NOTES:
        op.execute(statement)
