"""Makes the orders that buyers place."""

import random
from datetime import date, datetime, timedelta
from typing import Any

from hanro_sandbox.simulator.money import RATES, UNDECIDED, restate
from hanro_sandbox.simulator.wire import JAPAN, Tree, write_moment
from hanro_sandbox.simulator.wishes import DiscountWish, LineWish, OrderWish

DECIDE_WITHIN = timedelta(days=3)
SHIP_WITHIN = timedelta(days=5)
STREETS = {
    "JP": ("100-0001", "東京都", "千代田区", "見本町1-2-3"),
    "US": ("00000", "NY", "New York", "1 Example Street"),
}
PAID = frozenset({"new", "ready", "on_hold", "shipped", "delivered", "cancelling"})
ACCEPTED = frozenset({"ready", "shipped", "delivered"})


def vary(wish: OrderWish, source: random.Random) -> OrderWish:
    """Let a buyer choose what the wish leaves open."""
    packages = source.choice((1, 1, 2))
    lines = [
        LineWish(
            listing=f"item-{source.randint(1, 20)}",
            variant=source.choice(("", "red", "blue")),
            title=f"見本の品 {number}",
            options=source.choice((None, "色:赤", "サイズ:M")),
            quantity=source.randint(1, 5),
            unit_price=source.randint(1, 200) * 10,
            tax_percent=8 if source.random() < 0.4 else 10,  # noqa: PLR2004  food is common
            package=source.randint(1, packages),
        )
        for number in range(1, source.randint(3, 5))
    ]
    discounts = [DiscountWish(amount=source.randint(1, 3) * 10)] if source.random() < 0.4 else []  # noqa: PLR2004
    if source.random() < 0.3:  # noqa: PLR2004
        discounts.append(DiscountWish(kind="points", name="ポイント", amount=source.randint(1, 50)))
    chosen = {
        "lines": wish.lines or lines,
        "packages": max(wish.packages, packages),
        "discounts": wish.discounts or discounts,
        "gift": wish.gift or source.choice((None, None, "おめでとうございます")),
    }
    return wish.model_copy(update=chosen)


def make_order(order_id: str, wish: OrderWish, placed_at: datetime) -> Tree:
    """Make the order of a wish as the protocol shows it."""
    placed = write_moment(placed_at)
    lines = wish.lines or [LineWish()]
    order: Tree = {
        "id": order_id,
        "is_test": True,
        "placed_at": placed,
        "changed_at": placed,
        "paid_at": placed if wish.state in PAID else None,
        "accepted_at": placed if wish.state in ACCEPTED else None,
        "shipped_at": placed if wish.state in ("shipped", "delivered") else None,
        "delivered_at": placed if wish.state == "delivered" else None,
        "buyer": {"id": f"buyer-{order_id}", **_person(wish, order_id), "email": f"{order_id.lower()}@example.invalid"},
        "remarks": wish.buyer_text or "",
        "gift": None if wish.gift is None else {"note": wish.gift},
        "wish": None if wish.wish_day is None else {"day": wish.wish_day.isoformat(), "band": "午前中"},
        "packages": [_package(str(number + 1), wish, order_id) for number in range(wish.packages)],
        "lines": [_line(str(number + 1), line, wish, placed_at) for number, line in enumerate(lines)],
        "discounts": [{**one.model_dump(), "line": None} for one in wish.discounts],
        "claims": [],
        "totals": {"fee": 0},
    }
    restate(order)
    for pointer, value in wish.raw.items():
        _replace(order, pointer, value)
    return order


def payment(order: Tree) -> Tree:
    """Say how an order was paid, and what went back for its claims: asked for, it stands in the order."""
    return {
        "id": f"{order['id']}-1",
        "method": "見本カード",
        "code": "card",
        "status": "paid" if order["paid_at"] else "open",
        "amount": order["totals"]["payable"],
        "refunds": [
            {"amount": claim["amount"], "state": "done", "asked_at": claim["requested_at"], "at": claim["completed_at"]}
            for claim in order["claims"]
            if claim["stage"] == "done" and claim["amount"]
        ],
    }


def _person(wish: OrderWish, order_id: str) -> Tree:
    digits = "".join(filter(str.isdigit, order_id)).zfill(8)[-8:]
    text = wish.buyer_text
    postal_code, region, city, street = STREETS.get(wish.country, STREETS["US"])
    return {
        "family_name": "見本" if text is None else text,
        "given_name": "花子",
        "kana": "ミホン ハナコ",
        "phone": f"03-{digits[:4]}-{digits[4:]}",
        "address": {
            "country": wish.country,
            "postal_code": postal_code,
            "region": region,
            "city": city,
            "street": street if text is None else text,
            "building": None,
        },
    }


def _package(package_id: str, wish: OrderWish, order_id: str) -> Tree:
    postage = UNDECIDED if wish.is_undecided else wish.postage if package_id == "1" else 0
    return {"id": package_id, "recipient": _person(wish, order_id), "postage": postage, "parcels": []}


def _line(line_id: str, line: LineWish, wish: OrderWish, placed_at: datetime) -> Tree:
    is_answered = wish.state in ACCEPTED
    return {
        "id": line_id,
        "package": str(min(line.package, wish.packages)),
        "listing": line.listing,
        "variant": line.variant,
        "title": line.title,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "total": 0,
        "tax_percent": line.tax_percent if line.tax_percent in RATES else RATES[0],
        "state": wish.state,
        "answer": "accept" if is_answered else None,
        "decide_by": write_moment(placed_at + DECIDE_WITHIN),
        "ship_by": _day(placed_at + SHIP_WITHIN).isoformat(),
        "shipped": line.quantity if wish.state in ("shipped", "delivered") else 0,
        "cancelled": 0,
        "delay": None,
    }


def _replace(order: Tree, pointer: str, value: object) -> None:
    """Put a value where a JSON Pointer says."""
    *way, last = pointer.removeprefix("/").split("/")
    place: Any = order
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    place[int(last) if isinstance(place, list) else last] = value


def _day(at: datetime) -> date:
    return at.astimezone(JAPAN).date()
