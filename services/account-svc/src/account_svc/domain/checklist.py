"""Decides how far what an account needs is done: ticked by hand, or proven by grants. Values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from account_svc.domain.accounts import Account, State
from account_svc.domain.preflights import Awaited
from account_svc.domain.start_days import FIELD, check_start_day, effective_at
from hanro.errors import LocalizedText, Rejected
from hanro.marketplace import Fault
from hanro.marketplace.types import GrantState, Guide, Prerequisite

CLOCKS_DIFFER = timedelta(minutes=5)
OLDEST_YEAR = 1997
"""Nothing that is ticked happened before the oldest of these marketplaces opened."""
_HAS_PASSED = frozenset({State.ACTIVE, State.DEGRADED, State.SUSPENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Be one step of a prerequisite that somebody said was done `at`; `ticked_by` said so at `ticked_at`.

    `start_day` stands in the marketplace's mail, where its prerequisite has a daily start.
    """

    prerequisite_id: str
    state: str
    at: datetime
    start_day: date | None
    ticked_by: str
    ticked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TickWish:
    """Be what somebody says was done; `at` None: now."""

    state: str
    at: datetime | None
    start_day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Be a prerequisite of an account as it stands.

    `reached` holds the newest tick of each ticked state up to the present one, in the order of states. `proving` are
    the grants that are not granted yet. `effective_at` is None where nothing starts on a day; it is final once the
    approval is ticked, and until then what it would be were it approved now.
    """

    prerequisite: Prerequisite
    state: str
    is_done: bool
    reached: tuple[Tick, ...]
    history: tuple[Tick, ...]
    start_day: date | None
    proving: tuple[str, ...]
    effective_at: datetime | None
    is_effective_final: bool


def applying(guide: Guide, registration_id: str | None) -> tuple[Prerequisite, ...]:
    """Give the prerequisites of a way to register, in the guide's order; None: of any way."""
    return tuple(one for one in guide.prerequisites if _applies(one, registration_id))


def find_prerequisite(guide: Guide, registration_id: str | None, prerequisite_id: str) -> Prerequisite:
    """Give a prerequisite of a way to register.

    Raises:
        Rejected: there is none of that id; code "not-found".
    """
    items = applying(guide, registration_id)
    found = next((one for one in items if one.id == prerequisite_id), None)
    if found is None:
        known = ", ".join(one.id for one in items)
        raise Rejected(f"This account's checklist has no such item; it has: {known or 'none'}.", code="not-found")
    return found


def stand(prerequisite: Prerequisite, ticks: Sequence[Tick], account: Account, zone: ZoneInfo, now: datetime) -> Item:
    """Say how a prerequisite stands; `ticks` are its own, newest first."""
    proving = _proving(prerequisite, account)
    newest = ticks[0] if ticks else None
    if prerequisite.grant_ids:
        state = prerequisite.states[0 if proving else -1]
    else:
        is_known = newest is not None and newest.state in prerequisite.states
        state = newest.state if newest is not None and is_known else prerequisite.states[0]
    is_done = state == prerequisite.states[-1]
    return Item(
        prerequisite=prerequisite,
        state=state,
        is_done=is_done,
        reached=_reached(prerequisite, ticks, state),
        history=tuple(ticks),
        start_day=newest.start_day if newest is not None else None,
        proving=proving,
        effective_at=_effective(prerequisite, newest, zone, now, is_done=is_done),
        is_effective_final=is_done and prerequisite.daily_start is not None,
    )


def check_possible(prerequisite: Prerequisite, wish: TickWish, account: Account) -> None:
    """Refuse a tick that nobody can set now.

    Raises:
        Rejected: it is proven by grants ("proven-by-grants"), or comes after a passed check ("check-first").
    """
    if prerequisite.grant_ids:
        wanting = ", ".join(_proving(prerequisite, account)[:10])
        raise Rejected(
            "A preflight proves this, nobody ticks it: ask for one by POST /v1/accounts/{account_id}:preflight. "
            + (f"Not granted yet: {wanting}." if wanting else "All of its grants are granted."),
            code="proven-by-grants",
            remedy=LocalizedText(
                ja="手動では変更できません。接続チェックで自動的に確認されます。",
                en="It cannot be ticked by hand. Run the preflight: it finds out.",
            ),
        )
    if prerequisite.needs_check and wish.state != prerequisite.states[0] and account.state not in _HAS_PASSED:
        raise Rejected(
            "This comes only after a preflight has passed: ask for one by POST /v1/accounts/{account_id}:preflight.",
            code="check-first",
            remedy=LocalizedText(
                ja="接続チェックに成功してからメールが届きます。メールが届かないときも接続チェックを行ってください。",
                en="The mail comes once the check has passed. If no mail comes, run the preflight.",
            ),
        )


def find_faults(
    prerequisite: Prerequisite, wish: TickWish, known_day: date | None, zone: ZoneInfo, now: datetime
) -> tuple[Fault, ...]:
    """Find what is wrong with a tick, by field; `known_day` was typed earlier and may have passed meanwhile."""
    faults = []
    if wish.state not in prerequisite.states:
        known = ", ".join(prerequisite.states)
        why = LocalizedText(ja=f"この状態はありません（{known}）", en=f"there is no such state; there are: {known}")
        faults.append(Fault(field="state", code="state-unknown", why=why))
    if wish.at is not None and (wish.at > now + CLOCKS_DIFFER or wish.at.year < OLDEST_YEAR):
        why = LocalizedText(
            ja="日時が未来か、古すぎます。", en="the time lies ahead, or further back than anything could be done"
        )
        faults.append(Fault(field="at", code="time-impossible", why=why))
    if wish.start_day is not None:
        if prerequisite.daily_start is None:
            why = LocalizedText(ja="この項目に利用開始日はありません。", en="nothing about this item starts on a day")
            faults.append(Fault(field=FIELD, code="field-unknown", why=why))
        elif wish.start_day != known_day:
            fault = check_start_day(wish.start_day, now.astimezone(zone).date())
            faults += [fault] if fault else []
    return tuple(faults)


def can_be_awaited(prerequisite: Prerequisite) -> bool:
    """Tell whether functions may wait for an item: none that an account does without, none that comes after a check."""
    return not (prerequisite.grant_ids or prerequisite.is_optional or prerequisite.needs_check)


def find_awaited(items: Sequence[Item], guide: Guide) -> Awaited | None:
    """Give the first item that was applied for and that the marketplace has not decided; None: nothing is awaited."""
    for item in items:
        is_under_way = item.state != item.prerequisite.states[0] and not item.is_done
        if is_under_way and can_be_awaited(item.prerequisite):
            menus = {step.id: step.menu for step in guide.steps}
            # The last step that has a page is the one on which the approval is seen.
            places = [menu for one in item.prerequisite.step_ids if (menu := menus[one]) is not None]
            return Awaited(title=item.prerequisite.title, menu=places[-1] if places else None)
    return None


def is_same(newest: Tick | None, wish: TickWish) -> bool:
    """Tell whether a tick says again what the newest says."""
    return (
        newest is not None
        and (newest.state, newest.start_day) == (wish.state, wish.start_day)
        and (wish.at is None or wish.at == newest.at)
    )


def _applies(prerequisite: Prerequisite, registration_id: str | None) -> bool:
    ids = prerequisite.registration_ids
    return not ids or registration_id is None or registration_id in ids


def _proving(prerequisite: Prerequisite, account: Account) -> tuple[str, ...]:
    granted = {seen.grant_id for seen in account.grants if seen.state is GrantState.GRANTED}
    return tuple(sorted(prerequisite.grant_ids - granted))


def _reached(prerequisite: Prerequisite, ticks: Sequence[Tick], state: str) -> tuple[Tick, ...]:
    count = prerequisite.states.index(state) + 1
    newest = {tick.state: tick for tick in reversed(ticks)}
    return tuple(newest[one] for one in prerequisite.states[:count] if one in newest)


def _effective(
    prerequisite: Prerequisite, newest: Tick | None, zone: ZoneInfo, now: datetime, *, is_done: bool
) -> datetime | None:
    if prerequisite.daily_start is None or newest is None or not (is_done or newest.start_day):
        return None
    approved_at = newest.at if is_done else now
    return effective_at(newest.start_day, approved_at, prerequisite.daily_start, zone)
