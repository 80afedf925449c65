"""Keeps templates with all their versions."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from hanro.db import Transaction
from notifier_svc.domain.templates import Template

if TYPE_CHECKING:
    import asyncpg

# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = ", ".join(f"v.{one.name}" for one in fields(Template))

_CURRENT = f"""
    select {COLUMNS} from templates t join template_versions v on v.name = t.name and v.version = t.version
"""  # noqa: S608  columns of ours


async def find_template(tx: Transaction, name: str, version: int | None = None) -> Template | None:
    """Give a version of a template, None: the current one."""
    if version is None:
        rows = await tx.fetch(f"{_CURRENT} where t.name = $1", name)
    else:
        rows = await tx.fetch(
            f"select {COLUMNS} from template_versions v where name = $1 and version = $2",  # noqa: S608  columns of ours
            name,
            version,
        )
    return _template(rows[0]) if rows else None


async def list_templates(tx: Transaction, *, after: str, limit: int) -> list[Template]:
    """Give the current versions by name, behind a name."""
    rows = await tx.fetch(f"{_CURRENT} where t.name > $1 order by t.name limit $2", after, limit)
    return [_template(row) for row in rows]


async def get_templates(tx: Transaction, names: Sequence[str]) -> dict[str, Template]:
    """Give the current versions of these, by name; those that do not exist are left out."""
    rows = await tx.fetch(f"{_CURRENT} where t.name = any($1::text[])", list(names))
    return {row["name"]: _template(row) for row in rows}


async def lock_template(tx: Transaction, name: str) -> int | None:
    """Lock a template and give its current version; None where there is none, and then nobody else can make it now."""
    # Twins that create one name take turns here: there is no row to lock yet.
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"notifier template {name}")
    rows = await tx.fetch("select version from templates where name = $1 for update", name)
    return int(rows[0]["version"]) if rows else None


async def save_template(tx: Transaction, template: Template) -> None:
    """Store a new version and make it the current one; the older ones stay."""
    await tx.execute(
        """
        insert into templates (name, version) values ($1, $2)
        on conflict (name) do update set version = excluded.version
        """,
        template.name,
        template.version,
    )
    await tx.execute(
        """
        insert into template_versions (name, version, subject, body, saved_at, saved_by)
        values ($1, $2, $3, $4, $5, $6)
        """,
        template.name,
        template.version,
        template.subject,
        template.body,
        template.saved_at,
        template.saved_by,
    )


def _template(row: "asyncpg.Record") -> Template:
    return Template(**dict(row))
