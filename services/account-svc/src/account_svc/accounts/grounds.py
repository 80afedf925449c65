"""Holds a preflight in hand, and gives what its rows are judged on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from account_svc.accounts import checklist
from account_svc.domain import preflights as rules
from account_svc.domain import reports
from account_svc.domain.accounts import Account
from account_svc.domain.happenings import Standing
from account_svc.domain.preflights import Ground
from account_svc.domain.reports import Use
from account_svc.store import expiries as expiry_rows
from account_svc.store import preflights as preflight_rows
from account_svc.store.preflights import Preflight
from hanro.db import Transaction
from hanro.errors import MenuPath
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import Grant, PreflightRow
from hanro.operations import Operation

ALONE = timedelta(seconds=30)
"""So long a preflight takes at most that has an account's whole rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Be a preflight in hand: what it asks with, in which order, and what is known already.

    `is_alone`: no other service calls for the account now, so its whole rate is the preflight's; once the account works
    only the groups in `open_groups` go on so. `is_brief`: what the account cannot work without is probed first, and the
    rest where that is there. `preflight.rows` hold what need not be asked. `early`: the grants that must be known
    before the account may begin to work. `operations` are answered when it ends.
    """

    account: Account
    plugin: Plugin
    secrets: Secrets = field(repr=False)
    is_alone: bool
    is_brief: bool
    preflight: Preflight
    grants: tuple[Grant, ...]
    early: frozenset[str]
    open_groups: frozenset[str]
    operations: tuple[Operation, ...] = ()


async def ground_of(tx: Transaction, account: Account, taken: Round, at: datetime) -> Ground:
    """Give what rows of an account that is locked are judged on."""
    ground = Ground(
        grants=taken.plugin.grants,
        capabilities=taken.plugin.capabilities,
        known={},
        is_expired=await is_expired(tx, account, at),
        key_menu=_key_menu(taken.plugin),
        awaited=await checklist.find_awaited(tx, account, taken.plugin, at),
    )
    seen = {one.grant_id: one.state for one in account.grants}
    if account.is_working:
        return replace(ground, known=seen)
    # What was seen before this key says nothing; a brief round looks again at what it was seen with.
    if taken.is_brief and taken.secrets.version == account.credential_version:
        needed = rules.needed_grants(ground)
        return replace(ground, known={name: state for name, state in seen.items() if name not in needed})
    return ground


async def is_expired(tx: Transaction, account: Account, at: datetime) -> bool:
    """Tell whether a known end of the account's present secrets has passed."""
    return any(
        one.expiry.expires is not None
        and one.expiry.expires.at <= at
        and one.credential_version == account.credential_version
        for one in (await expiry_rows.list_expiries(tx, [account.id])).get(account.id, ())
    )


async def has_whole_rate(tx: Transaction, account: Account, plugin: Plugin, at: datetime) -> bool:
    """Tell whether nobody else calls for an account that is locked: it does not work, or its key is known dead."""
    return not account.is_working or await is_key_suspect(tx, account, plugin, await uses_of(tx, account), at)


async def uses_of(tx: Transaction, account: Account) -> Mapping[tuple[str, str], Use]:
    """Give what services said last of calls for an account, by service and grant."""
    return (await preflight_rows.list_uses(tx, [account.id])).get(account.id, {})


async def is_key_suspect(
    tx: Transaction, account: Account, plugin: Plugin, uses: Mapping[tuple[str, str], Use], at: datetime
) -> bool:
    """Tell whether the latest news of an account's key is that it was refused, or its known end has passed."""
    return reports.is_refused_lately(account, uses, rules.login_grants(plugin)) or await is_expired(tx, account, at)


def closed(preflight: Preflight, rows: Iterable[PreflightRow], standing: Standing, at: datetime) -> Preflight:
    """Give a preflight as it ended."""
    return replace(preflight, standing=standing, finished_at=at, expected_at=None, rows=tuple(rows))


def in_their_order(plugin: Plugin, rows: Mapping[str, PreflightRow]) -> tuple[PreflightRow, ...]:
    """Give rows in the plug-in's order; grants without a row are left out."""
    return tuple(rows[grant.id] for grant in plugin.grants if grant.id in rows)


def _key_menu(plugin: Plugin) -> MenuPath | None:
    ending = {life.field for life in plugin.key_life}
    fields = [one for one in plugin.credential_form.fields if one.name in ending and one.where is not None]
    return fields[0].where if fields else None
