"""Keeps where the rows of a file stand apart from what became of them, so that a row is written once.

A file that is being taken in begins again; its orders that are stored are found to say nothing new.
"""

from hanro.tables import change

revision = "0017"
down_revision = "0016"

SCHEMA = "orders"

RUNS = (
    """
    create table import_runs (
        import_id text not null,
        number integer not null,
        row_count integer not null,
        start bigint not null,
        length integer not null,
        group_key bytea not null,
        is_refused boolean not null,
        is_first boolean not null,
        primary key (import_id, number)
    )
    """,
    "create index import_runs_of_order on import_runs (import_id, group_key)",
    # What these columns held is written no more.
    "alter table import_rows alter column start drop not null, alter column length drop not null",
    "alter table import_rows alter column group_key drop not null",
    "drop index import_rows_waiting",
    "drop index import_rows_of_order",
    # As for terms: the check of each row cost as much as the row.
    "alter table import_rows drop constraint import_rows_import_id_fkey",
    """
    delete from import_rows using imports
    where imports.id = import_rows.import_id and imports.state in ('reading', 'storing')
    """,
    """
    update imports set state = 'accepted', position = 0, next_row = 1, row_count = 0, done_count = 0, refused_count = 0,
        new_count = 0, changed_count = 0, unchanged_count = 0, lease_until = null, fence = nextval('due_fence')
    where state in ('reading', 'storing')
    """,
)


def upgrade() -> None:
    change(SCHEMA, *RUNS)
