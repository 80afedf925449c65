"""Decides what kind of order a synthetic buyer places and which extras it has; ordinary orders dominate."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from hanro_rakuten_ichiba.simulator.buyers import settlements
from hanro_rakuten_ichiba.simulator.buyers.catalogue import Line, choose_lines, wished_line

_WEIGHT_BY_KIND = {
    "ordinary": 60,
    "several-destinations": 6,
    "cash-on-delivery": 8,
    "bank-transfer": 6,
    "convenience-store-payment": 5,
    "pay-later": 4,
    "convenience-store-pick-up": 4,
    "social-gift": 2,
    "undecided-postage": 2,
    "undecided-fee": 1,
    "pre-order": 1,
    "points-only": 1,
}
KINDS = tuple(_WEIGHT_BY_KIND)
_METHOD_BY_KIND = {
    "cash-on-delivery": settlements.CASH_ON_DELIVERY,
    "undecided-fee": settlements.CASH_ON_DELIVERY,
    "bank-transfer": settlements.BANK_TRANSFER,
    "convenience-store-payment": settlements.CONVENIENCE_STORE,
    "pay-later": settlements.PAY_LATER,
    "points-only": settlements.POINTS,
}
_WISH_KEYS = frozenset({"lines", "progress", "buyer", "is_plain", "kind"})
_AWKWARD_EVERY = 5
PROGRESSES = (100, 200, 300, 400, 500, 600, 700, 800, 900)


@dataclass(frozen=True)
class Occasion:
    """What was decided about an order before a single amount is known."""

    kind: str
    progress: int
    lines: tuple[Line, ...]
    buyer: dict[str, object]
    is_plain: bool
    is_awkward: bool
    is_gift: bool
    is_wrapped: bool
    has_coupons: bool
    has_points: bool
    method: int


def decide_occasion(chance: random.Random, *, sequence: int, wishes: Mapping[str, object]) -> Occasion:
    """Decide the kind, the lines and the extras of an order.

    Raises:
        ValueError: an unknown wish, kind or progress, or an undecided amount on an order that is past state 100
            (confirmOrder refuses those, so they cannot exist: rakuten-ichiba-orders 4.3 [1]).
    """
    unknown = set(wishes) - _WISH_KEYS
    if unknown:
        raise ValueError(f"a buyer cannot wish {sorted(unknown)}")
    is_plain = bool(wishes.get("is_plain", False))
    progress = int(str(wishes.get("progress", 100)))
    kind = str(wishes.get("kind", "ordinary" if is_plain else _choose_kind(chance, progress)))
    if kind not in _WEIGHT_BY_KIND or progress not in PROGRESSES:
        raise ValueError(f"there is no order of kind {kind!r} in state {progress}")
    if kind.startswith("undecided") and progress not in (100, 900):
        raise ValueError("an order with an undecided amount cannot have been confirmed")
    wished_lines = wishes.get("lines")
    lines = _wished_lines(wished_lines) if wished_lines else choose_lines(chance, _choose_count(chance, kind, is_plain))
    buyer = wishes.get("buyer") or {}
    if not isinstance(buyer, Mapping):
        raise ValueError("buyer is an object of OrdererModel's members")  # noqa: TRY004  all wishes fail alike
    is_ordinary_extra = not is_plain and kind not in ("social-gift", "undecided-postage", "undecided-fee")
    is_gift = is_ordinary_extra and chance.random() < 0.15  # noqa: PLR2004  a weight
    return Occasion(
        kind=kind,
        progress=progress,
        lines=tuple(lines),
        buyer=dict(buyer),
        is_plain=is_plain,
        is_awkward=not is_plain and sequence % _AWKWARD_EVERY == 0,
        is_gift=is_gift,
        is_wrapped=is_gift and chance.random() < 0.7,  # noqa: PLR2004  a weight
        has_coupons=is_ordinary_extra and chance.random() < 0.25,  # noqa: PLR2004  a weight
        has_points=is_ordinary_extra and chance.random() < 0.3,  # noqa: PLR2004  a weight
        method=_METHOD_BY_KIND.get(kind, settlements.CARD),
    )


def _choose_kind(chance: random.Random, progress: int) -> str:
    kind = chance.choices(KINDS, weights=tuple(_WEIGHT_BY_KIND.values()))[0]
    return "ordinary" if kind.startswith("undecided") and progress != PROGRESSES[0] else kind


def _choose_count(chance: random.Random, kind: str, is_plain: bool) -> int:  # noqa: FBT001  private
    if is_plain:
        return 1
    if kind == "several-destinations":
        return chance.choice((2, 3, 4))
    return chance.choice((1, 1, 1, 1, 2, 2, 3, 4))


def _wished_lines(wishes: object) -> list[Line]:
    if not isinstance(wishes, list) or not all(isinstance(wish, Mapping) for wish in wishes):
        raise ValueError("lines is a list of objects")
    return [wished_line(wish) for wish in wishes]
