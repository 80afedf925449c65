"""Saves templates: checked first, every version kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hanro.db import Transaction
from hanro.errors import Rejected
from notifier_svc.domain.templates import Template
from notifier_svc.store.templates import find_template, lock_template, save_template
from notifier_svc.templates.language import check


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Be a template as it stands after a save; `is_new`: there was none of that name."""

    template: Template
    is_new: bool


async def save(
    tx: Transaction,
    *,
    name: str,
    subject: str,
    body: str,
    by: str,
    at: datetime,
    agree: Callable[[int | None], None],
) -> Saved:
    """Save a template as its next version; the texts that stand already change nothing.

    `agree` is told the version that stands (None: there is none) once it is locked, and may refuse by raising.

    Raises:
        TemplateRefused: the language does not allow it; every fault is named, and nothing is stored.
    """
    check(subject, body)
    stands = await lock_template(tx, name)
    known = await find_template(tx, name) if stands is not None else None
    if known is not None and (known.subject, known.body) == (subject, body):
        return Saved(template=known, is_new=False)
    agree(stands)
    template = Template(name=name, version=(stands or 0) + 1, subject=subject, body=body, saved_at=at, saved_by=by)
    await save_template(tx, template)
    return Saved(template=template, is_new=stands is None)


async def get(tx: Transaction, name: str, version: int | None = None) -> Template:
    """Give a version of a template, None: the current one.

    Raises:
        Rejected: there is none; code "not-found".
    """
    found = await find_template(tx, name, version)
    if found is None:
        which = f"template {name!r}" if version is None else f"version {version} of a template {name!r}"
        raise Rejected(f"There is no {which}.", code="not-found")
    return found
