"""Assembles the tables that every service's schema has, from the parts that own them."""

from hanro import access_reports, archive, breaker, dead_letters, due, inbox, operations, outbox, pacer, restoring
from hanro.web import idempotency

# A statement that stamps many rows writes `(select {schema}.now())`: asked once, not once a row.
CLOCK_1 = (
    """
    create table "{schema}".clock_offset (
        only_row boolean primary key default true check (only_row),
        seconds double precision not null default 0
    )
    """,
    'insert into "{schema}".clock_offset default values',
    """
    create function "{schema}".now() returns timestamptz language sql stable parallel safe as $$
        select clock_timestamp() + seconds * interval '1 second' from "{schema}".clock_offset
    $$
    """,
)

DDL_2 = (*operations.DDL_2, *due.DDL_2)
DDL_3 = restoring.DDL_3


def make_1(schema: str, *tables: str) -> None:
    """Make the shared tables, version 1, and a service's own behind them; a migration calls it.

    Each statement says `{schema}` for the schema, or leaves it out: the migration's search path is the schema.
    """
    from alembic import op  # noqa: PLC0415  a tenth of a second that tests need not pay

    for statement in (*create_1(schema), *tables):
        op.execute(statement.replace("{schema}", schema))


def make_2(schema: str, *tables: str) -> None:
    """Bring the shared tables to version 2, then what a service changes of its own; see `make_1`."""
    from alembic import op  # noqa: PLC0415  a tenth of a second that tests need not pay

    for statement in (*DDL_2, *tables):
        op.execute(statement.replace("{schema}", schema))


def make_3(schema: str, *tables: str) -> None:
    """Bring the shared tables to version 3, then what a service changes of its own; see `make_1`."""
    change(schema, *DDL_3, *tables)


def change(schema: str, *statements: str) -> None:
    """Change what a service keeps of its own, the shared tables stay as they are; see `make_1`."""
    from alembic import op  # noqa: PLC0415  a tenth of a second that tests need not pay

    for statement in statements:
        op.execute(statement.replace("{schema}", schema))


def create_1(schema: str) -> list[str]:
    """Give the statements that make the shared tables, version 1; each `DDL_1` says `{schema}` for the schema."""
    parts = (
        CLOCK_1,
        *(outbox.DDL_1, archive.DDL_1, inbox.DDL_1, dead_letters.DDL_1),
        *(operations.DDL_1, due.DDL_1, pacer.DDL_1, breaker.DDL_1, access_reports.DDL_1),
        idempotency.DDL_1,
    )
    return [statement.replace("{schema}", schema) for part in parts for statement in part]


def create_3(schema: str) -> list[str]:
    """Give the statements that make the shared tables as they are from version 3 on."""
    return [*create_1(schema), *(statement.replace("{schema}", schema) for statement in (*DDL_2, *DDL_3))]
