"""Decides which answers may be given about an order: yes or no to its lines, a later day, a claim's end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hanro.errors import Rejected, Unsupported
from hanro.events.orders import OrderClaim, OrderLine, OrderState
from hanro.marketplace.types import Answer, Capability, Decision, DelayReason, Party
from order_svc.domain.accounts import Account
from order_svc.domain.decisions import asked_of, check_acceptable, check_held, check_readable, ref_of, still_acceptable
from order_svc.domain.effects import ACCEPT, ANSWER, DELAY, REFUSE
from order_svc.domain.orders import CONFIRMED, LEFT_THE_HOUSE, Order

ANYWHERE = timedelta(hours=12)
"""West of Greenwich a day ends at most so long after it does there."""
_CLAIMS: Mapping[str, Capability] = {
    "cancel": Capability.ANSWER_CANCELLATION,
    "return": Capability.ANSWER_RETURN,
    "exchange": Capability.ANSWER_EXCHANGE,
}
_PROMISED: frozenset[OrderState] = frozenset({"accepted", "ready"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Be an answer as it is asked for. `line_ids` ours or the marketplace's, None: all that it may be given to.

    `ships_on` and `ships_from` (a country) go with a yes or a delay, `delay` says why it is later, `claim_id` and
    `answer` go with a claim.
    """

    kind: str
    line_ids: tuple[str, ...] | None = None
    ships_on: date | None = None
    ships_from: str | None = None
    delay: DelayReason | None = None
    claim_id: str | None = None
    answer: Answer = Answer.ACCEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Be an answer that may be given: to which lines, by the marketplace's id, and what its marketplace must take."""

    wanted: Wanted
    line_ids: tuple[str, ...]
    capability: Capability

    def asked(self, order: Order, account: Account) -> dict[str, object]:
        """Give what its operation says of what was asked; a whole acceptance names no lines: all that wait then."""
        wanted = self.wanted
        said: dict[str, object | None] = {
            "line_ids": list(self.line_ids) if wanted.line_ids is not None or wanted.kind in {REFUSE, DELAY} else None,
            "ships_on": wanted.ships_on.isoformat() if wanted.ships_on else None,
            "ships_from": wanted.ships_from,
            "delay": wanted.delay.value if wanted.delay else None,
            "claim_id": wanted.claim_id,
            "answer": wanted.answer.value if wanted.kind == ANSWER else None,
        }
        return asked_of(order, account, self.capability) | {name: one for name, one in said.items() if one is not None}


def give(wanted: Wanted, order: Order, at: datetime) -> Given:
    """Let an answer be given only where something waits for it.

    Raises:
        Rejected: order-quarantined, order-cancelled, order-held (a yes); line-unknown; already-decided, not-waiting,
            decision-too-late; not-accepted, already-shipped (a delay); claim-unknown; day-past.
        Unsupported: a claim of a kind that nobody answers by an API (absent).
    """
    if wanted.ships_on is not None and wanted.ships_on < (at - ANYWHERE).date():
        raise Rejected("that day is past", code="day-past", field="ships_on")
    match wanted.kind:
        case "answer":
            return _claim(wanted, order)
        case "delay":
            check_readable(order)
            lines = _lines(order, wanted.line_ids, _PROMISED)
            for line in lines:
                _check_promised(line)
            return _given(wanted, lines, Capability.ANNOUNCE_DELAY, none="not-accepted")
        case "refuse":
            check_readable(order)
            lines = _lines(order, wanted.line_ids, {"new"})
            _check_waiting(lines, at)
            none = "already-decided" if order.status in CONFIRMED else "not-waiting"
            return _given(wanted, lines, Capability.REFUSE_LINE, none=none)
        case _:
            return _accept(wanted, order, at)


def decision(operation_id: str, order: Order, kind: str, asked: Mapping[str, object], note: str | None) -> Decision:
    """Give an answer as the port takes it; a yes that names no lines goes to all that wait, or stand by now."""
    ships_on, delay = asked.get("ships_on"), asked.get("delay")
    claim_id, ships_from = asked.get("claim_id"), asked.get("ships_from")
    line_ids = named(asked)
    if line_ids is None and kind == ACCEPT:
        waiting = [line for line in order.lines if line.status == "new"]
        standing = [line for line in order.lines if line.status != "cancelled"]
        # Of an order that was cancelled since nothing stands, and it is looked for all the same.
        line_ids = tuple(line.external_id for line in waiting or standing or order.lines)
    is_no = kind == REFUSE or (kind == ANSWER and asked.get("answer") == Answer.REFUSE.value)
    return Decision(
        id=operation_id,
        order=ref_of(order),
        answer=Answer.REFUSE if is_no else Answer.ACCEPT,
        line_ids=line_ids or (),
        claim_id=str(claim_id) if claim_id else None,
        ships_on=date.fromisoformat(str(ships_on)) if ships_on else None,
        delay=DelayReason(str(delay)) if delay else None,
        note=note,
        ships_from=str(ships_from) if ships_from else None,
        return_to=None,
    )


def still_wanted(order: Order, kind: str, asked: Mapping[str, object]) -> Rejected | None:
    """Say why an answer is not sent any more; None: send it."""
    line_ids = named(asked)
    if kind == ACCEPT and line_ids is None:
        return still_acceptable(order)
    try:
        if kind == ANSWER:
            _check_claim(order, str(asked.get("claim_id")))
            return None
        check_readable(order)
        if kind == ACCEPT:
            check_held(order)
        for line in (one for one in order.lines if one.external_id in (line_ids or ())):
            _check_still(line, kind)
    except Rejected as refused:
        return refused
    return None


def overlaps(asked: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Tell whether two answers are about the same: one claim, or lines of which one is named by both."""
    if asked.get("claim_id") or other.get("claim_id"):
        return asked.get("claim_id") == other.get("claim_id")
    these, those = named(asked), named(other)
    return these is None or those is None or bool(set(these) & set(those))


def named(asked: Mapping[str, object]) -> tuple[str, ...] | None:
    """Give the lines that an operation names, by the marketplace's id; None: none by name."""
    line_ids = asked.get("line_ids")
    return tuple(str(one) for one in line_ids) if isinstance(line_ids, list) else None


def _accept(wanted: Wanted, order: Order, at: datetime) -> Given:
    if wanted.line_ids is None:
        check_acceptable(order)
    else:
        check_readable(order)
        check_held(order)
    lines = _lines(order, wanted.line_ids, {"new"})
    _check_waiting(lines, at)
    told = {line.external_id for line in lines}
    is_whole = all(line.external_id in told for line in order.lines if line.status == "new")
    return _given(wanted, lines, Capability.ACCEPT if is_whole else Capability.ACCEPT_LINE, none="not-waiting")


def _claim(wanted: Wanted, order: Order) -> Given:
    claim = _check_claim(order, wanted.claim_id or "")
    capability = _CLAIMS.get(claim.kind)
    if capability is None:
        raise Unsupported("a claim of this kind is answered in the marketplace's own screens", code="absent")
    return Given(wanted=wanted, line_ids=(), capability=capability)


def _check_claim(order: Order, claim_id: str) -> OrderClaim:
    if order.is_quarantined:
        check_readable(order)
    claim = next((one for one in order.claims if one.external_id == claim_id), None)
    if claim is None or claim.by == Party.SELLER.value:
        raise Rejected("no claim of the buyer has that id", code="claim-unknown", field="claim_id")
    if claim.stage != "requested":
        raise Rejected(f"the claim is {claim.stage} already", code="already-decided")
    return claim


def _lines(order: Order, wanted: Sequence[str] | None, among: Collection[OrderState]) -> list[OrderLine]:
    """Give the lines that are named, or those in one of these statuses."""
    if wanted is None:
        return [line for line in order.lines if line.status in among]
    ids = {line.id: line for line in order.lines} | {line.external_id: line for line in order.lines}
    found = {}
    for line_id in wanted:
        if line_id not in ids:
            raise Rejected("the order has no such line", code="line-unknown", field="line_ids")
        found[ids[line_id].external_id] = ids[line_id]
    return list(found.values())


def _given(wanted: Wanted, lines: Sequence[OrderLine], capability: Capability, *, none: str) -> Given:
    if not lines:
        raise Rejected("no line of the order waits for this", code=none)
    return Given(wanted=wanted, line_ids=tuple(line.external_id for line in lines), capability=capability)


def _check_waiting(lines: Sequence[OrderLine], at: datetime) -> None:
    for line in lines:
        _check_standing(line)
        if line.status in CONFIRMED:
            raise Rejected(f"line {line.external_id} is accepted already", code="already-decided")
        if line.status != "new":
            raise Rejected(f"line {line.external_id} does not wait for an answer", code="not-waiting")
        if line.decide_by is not None and line.decide_by < at:
            raise Rejected(
                f"line {line.external_id} had to be answered by {line.decide_by.isoformat()}", code="decision-too-late"
            )


def _check_promised(line: OrderLine) -> None:
    _check_standing(line)
    if line.status in LEFT_THE_HOUSE:
        raise Rejected(f"line {line.external_id} was shipped", code="already-shipped")
    if line.status not in _PROMISED:
        raise Rejected(f"line {line.external_id} is not accepted yet", code="not-accepted")


def _check_standing(line: OrderLine) -> None:
    if line.status in {"cancelled", "cancelling"}:
        raise Rejected(f"line {line.external_id} is cancelled, or is being", code="order-cancelled")


def _check_still(line: OrderLine, kind: str) -> None:
    """Refuse what a line shows that it is over; what was answered meanwhile the marketplace says itself."""
    if kind == DELAY:
        _check_promised(line)
    _check_standing(line)
    if kind == REFUSE and line.status in CONFIRMED:
        raise Rejected(f"line {line.external_id} is accepted already", code="already-decided")
