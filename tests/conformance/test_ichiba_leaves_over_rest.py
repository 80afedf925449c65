"""Every leaf of the dossier's full order is shown over REST, or the plug-in's ledger says why it is left out.

For each leaf there is an order in which it alone differs. A text, number, day or time must then be found in the answer,
verbatim; of a flag or code, which is told in hanro's words, the answer must differ. The answer is the real one: mapped,
stored in Postgres, sealed, and asked for with the scope orders:personal.
"""

import copy
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from ichiba_mapped import SEEN_AT, every_model, seen
from order_edge import parts_for, serve
from order_playground import Playground, activated, prepare, tell
from order_sightings import account

from hanro.service import Parts
from hanro.testing.callers import bearer, fixed_keyring
from hanro_local.databases import SchemaUrls
from order_svc import orders as using
from order_svc.api import orders

pytestmark = pytest.mark.schema("orders", prepare)

README = Path(__file__).parents[2] / "libs/marketplaces/rakuten_ichiba/README.md"
PERSONAL = bearer("orders:read", "orders:personal")
Place = tuple[str | int, ...]

# Codes that are mapped to words of hanro's: another one that is documented.
OTHER_CODES = {
    "OrderModel.orderProgress": 300,
    "OrderModel.shippingTerm": 1416,
    "DeliveryModel.deliveryClass": 2,
    "WrappingModel.title": "other",
    "PackageModelList.defaultDeliveryCompanyCode": "1002",
    "ShippingModelList.deliveryCompany": "1002",
    "CouponModelList.couponCapitalCode": 2,
    "ChangeReasonModelList.changeType": 2,
    "ChangeReasonModelList.changeReason": 0,
    "ChangeReasonModelList.changeReasonDetail": 8,
    "DueDateModelList.dueDateType": 1,
}
# Members that are null in the sample, by what they hold where they are not: rakuten-ichiba-orders 5.
DAYS = ("cancelDueDate",)
TIMES = ("inputCompDatetime",)
NUMBERS = ("reserveDeliveryCount", "changeTypeDetail", "changeReason", "changeReasonDetail")
RATE = 0.07
CANCELLATIONS = (0, 1, 2, 3)
TIME = re.compile(r"\d{4}-\d\d-\d\dT.*")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
OWN = ("id", "external_id", "version", "created_at", "changed_at")


def leaves(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield each leaf with the way to it."""
    match node:
        case dict():
            for key, member in node.items():
                yield from leaves(member, (*place, key))
        case list():
            for index, member in enumerate(node):
                yield from leaves(member, (*place, index))
        case _:
            yield place, node


def member_of(place: Place) -> str:
    """Name a leaf as the ledger does: its model and its own name."""
    names = [one for one in place if isinstance(one, str)]
    model = names[-2] if len(names) > 1 else "OrderModel"
    return f"{re.sub(r'(?<=Model)[0-9]$', '', model)}.{names[-1]}"


def another(place: Place, value: Any, number: int) -> tuple[Any, str | None]:
    """Give another value for a leaf, and what of it must be found; None: it is told in other words."""
    member = member_of(place)
    name = member.partition(".")[2]
    if member in OTHER_CODES:
        return OTHER_CODES[member], None
    if name.endswith("Flag"):
        return 1 - value, None
    if name in NUMBERS or isinstance(value, int):
        return 770000 + number, str(770000 + number)
    if isinstance(value, float):
        return RATE, str(RATE)
    found = f"見本{number}番"
    if name in TIMES or TIME.fullmatch(value or ""):
        found = f"2026-04-01T03:{number // 60:02}:{number % 60:02}+0900"
    elif name in DAYS or DAY.fullmatch(value or ""):
        found = f"2031-{number // 28 + 1:02}-{number % 28 + 1:02}"
    return found, found


def changed(tree: dict[str, Any], place: Place, value: Any, number: int) -> dict[str, Any]:
    """Give the order with another value at one place, and a number of its own."""
    order = copy.deepcopy(tree)
    node: Any = order
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    if place != ("orderNumber",):
        order["orderNumber"] = f"999001-20260511-{number:010}"
    return order


def left_out() -> set[str]:
    """Give the members that the committed ledger names with a reason."""
    ledger = README.read_text(encoding="utf-8").partition("## Members of an order that are left out")[2]
    rows = [line.split("|") for line in ledger.splitlines() if line.startswith("| `")]
    assert all(why.strip() for _, _, why, _ in rows)
    return {member for _, members, _, _ in rows for member in re.findall(r"`(\w+\.\w+)`", members)}


def told(answer: dict[str, Any]) -> str:
    """Give what an answer tells, without what is its own of every order, nor sums that a change upsets."""
    shown = {key: member for key, member in answer.items() if key not in OWN}
    shown["lines"] = [{key: member for key, member in line.items() if key != "id"} for line in shown["lines"]]
    shown["stated"] = {key: member for key, member in shown["stated"].items() if key != "differences"}
    return json.dumps(shown, ensure_ascii=False, sort_keys=True)


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(parts, orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors)) as made:
        yield made


def is_no_cancellation(tree: dict[str, Any], place: Place) -> bool:
    """Tell whether a leaf is of a change that is no cancellation: the ledger leaves those out whole."""
    if place[0] != "ChangeReasonModelList":
        return False
    return bool(tree["ChangeReasonModelList"][place[1]]["changeType"] not in CANCELLATIONS)


async def unseen(parts: Parts, client: httpx.AsyncClient, tree: dict[str, Any]) -> set[str]:
    """Give the members of which a leaf does not come back over REST."""
    await tell(parts.db, activated())
    asked: dict[str, tuple[Place, str | None]] = {}
    base = changed(tree, ("orderNumber",), "999001-20260511-9999999999", 0)
    sightings = [seen(base)]
    for number, (place, value) in enumerate(leaves(tree), start=1):
        chosen, wanted = another(place, value, number)
        order = changed(tree, place, chosen, number)
        asked[order["orderNumber"]] = (place, wanted)
        sightings.append(seen(order))
    await using.ingest_fetched(
        parts.db,
        fixed_keyring(),
        sightings,
        account=account(),
        plugin=Playground().plugin(),
        at=SEEN_AT + timedelta(minutes=1),
    )
    async with parts.db.begin() as tx:
        ids = {row["external_id"]: row["id"] for row in await tx.fetch("select external_id, id from orders")}

    async def shown(number: str) -> dict[str, Any]:
        answer = await client.get(f"/v1/orders/{ids[number]}", headers=PERSONAL)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    usual = told(await shown(base["orderNumber"]))
    hidden = set()
    for external_id, (place, wanted) in asked.items():
        answer = await shown(external_id)
        told_of = external_id if place == ("orderNumber",) else told(answer)
        assert wanted is None or wanted not in usual, f"{wanted} is no canary"
        is_shown = wanted in told_of if wanted is not None else told_of != usual
        if not is_shown and not is_no_cancellation(tree, place):
            hidden.add(member_of(place))
    return hidden


@pytest.mark.row("O9", kind="walks")
async def test_every_leaf_of_the_full_order_is_shown_or_named_as_left_out(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    assert await unseen(parts, client, every_model()) == left_out()


async def test_a_leaf_that_nobody_maps_and_no_ledger_names_is_found(parts: Parts, client: httpx.AsyncClient) -> None:
    tree = every_model()
    tree["PackageModelList"][0]["ItemModelList"][0]["newMember"] = "見本"
    tree["loyaltyFlag"] = 0
    found = await unseen(parts, client, tree)
    assert found - left_out() == {"ItemModelList.newMember", "OrderModel.loyaltyFlag"}
