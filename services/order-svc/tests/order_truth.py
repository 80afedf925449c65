"""Holds what is stored against what the marketplace has, what facts tell, and what the catalogue made of them."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from order_shelf import SKU, START, Shelf
from order_world import World

from hanro.events.orders import BY_FILE
from order_svc import buyers
from order_svc.store import shipments as shipments_store

CHANGING = 400
LARGEST_PAGE = 100
# Source: rakuten-ichiba-orders 7.1, PORT 2.
STATUSES = {
    100: "new",
    200: "accepted",
    300: "ready",
    CHANGING: "on_hold",
    500: "shipped",
    600: "shipped",
    700: "completed",
    800: "cancelling",
    900: "cancelled",
}
LEFT = ("shipped", "completed")
# Told once in an order's life: what is reached stays reached.
ONCE = ("placed", "confirmed", "buyer_erased")
# So are these, but where a file was newer than a look at the marketplace that came after it: nobody knows its age.
ONCE_SHOWN = ("completed", "cancelled")
# What a fact and a look at the order both tell, by the same name.
TOLD = (
    "version", "external_id", "status", "work_state", "placed_at", "first_seen_by", "lines", "milestones", "holds",
    "totals", "claims", "cancellation_requested_at", "is_backfilled", "reserves_stock", "is_test", "erased_at",
)  # fmt: skip
TOTALS = {"goods": "goodsPrice", "postage": "postagePrice", "total": "totalPrice", "payable": "requestPrice"}

Fact = tuple[str, dict[str, Any]]


async def differences(world: World, client: httpx.AsyncClient) -> list[str]:
    """Give what differs between the marketplace's orders and those shown, and between those and their facts."""
    shown = await _shown(world, client)
    truth = {str(one["external_id"]): one["tree"] for one in await world.truth()}
    found = [
        *world.found,
        *world.failed_polls(),
        *(f"{number} is not stored" for number in truth.keys() - shown.keys()),
    ]
    found += [f"{number} was invented" for number in shown.keys() - truth.keys()]
    streams: dict[str, list[Fact]] = defaultdict(list)
    for kind, key, text in await world.facts(0):
        streams[key].append((kind.split(".")[2], json.loads(text)))
    for number in sorted(truth.keys() & shown.keys()):
        order, stream = shown[number], streams[shown[number]["id"]]
        wrong = [*_unlike(order, truth[number]), *_wrong_units(order, stream), *_wrong_facts(order, stream)]
        wrong += _wrongly_held(order, world.shelf)
        found += [f"{number}: {what}" for what in wrong]
    found += _wrong_stock(world.shelf, shown.values())
    return found + await _wrong_buyers(world, shown.values())


async def _shown(world: World, client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Give orders as callers see them, with their parcels as they were asked for, by number."""
    listed = (await client.get("/v1/orders", params={"account_id": world.account_id, "limit": LARGEST_PAGE})).json()
    assert listed["next"] is None, "more orders than a page holds"
    async with world.means.db.begin() as tx:
        rows = await tx.fetch(
            "select id, sheet::text as sheet, is_from_file from orders where account_id = $1", world.account_id
        )
        asked = await shipments_store.list_of_orders(tx, [row["id"] for row in rows])
    more = {
        row["id"]: {
            "stated": json.loads(row["sheet"]),
            "asked": [[one.tracking.number, one.state] for one in asked[row["id"]]],
            "is_from_file": row["is_from_file"],
        }
        for row in rows
    }
    return {one["external_id"]: one | more[one["id"]] for one in listed["items"]}


def _unlike(order: dict[str, Any], there: dict[str, Any]) -> list[str]:
    stated = order["stated"]
    items = [item for package in there["PackageModelList"] for item in package["ItemModelList"]]
    parcels = [row for package in there["PackageModelList"] for row in package["ShippingModelList"] or ()]
    live = [item for item in items if not item["deleteItemFlag"]]
    status = _status_of(there)
    registered = [number for number, state in order["asked"] if state == "registered"]
    there_too = {row["shippingNumber"] for row in parcels}
    pairs: dict[str, tuple[object, object]] = {
        "status": (order["status"], status),
        "quarantine": (order["quarantine"], None),
        "a file's": (order["is_from_file"], False),
        "keeps stock back": (order["reserves_stock"], True),
        "units": (
            sorted((line["external_id"], line["quantity"]) for line in order["lines"] if line["quantity"]),
            sorted((str(item["itemDetailId"]), item["units"]) for item in live),
        ),
        "prices": (
            sorted(float(line["unit_price"]["text"]) for line in order["lines"] if line["quantity"]),
            sorted(float(item["price"]) for item in live),
        ),
        "sums": (
            {name: order["totals"][name]["text"] for name in TOTALS},
            {name: str(there[member]) for name, member in TOTALS.items()},
        ),
        "differences": (stated["differences"], []),
        "parcels": (
            sorted(parcel["number"] for package in stated["packages"] for parcel in package["parcels"]),
            sorted(row["shippingNumber"] for row in parcels),
        ),
        "registered, not there": ([number for number in registered if number not in there_too], []),
        "under way": ([one for one in order["asked"] if one[1] in {"waiting", "sent", "in_doubt"}], []),
        "work": (order["work_state"], _work_state(order, status)),
    }
    if order["erased_at"] is None:
        # Whatever files said: what the marketplace shows outranks it.
        pairs["noshi"] = (
            [package["noshi"] for package in stated["packages"]],
            [package["noshi"] or None for package in there["PackageModelList"]],
        )
    return [f"{what} is {ours}, there {theirs}" for what, (ours, theirs) in pairs.items() if ours != theirs]


def _status_of(there: dict[str, Any]) -> str:
    # A change of what left the house is decided there too; it stays shipped here, and a hold tells of the change.
    is_changed = there["orderProgress"] == CHANGING and there["shippingCmplRptDatetime"] is not None
    return "shipped" if is_changed else STATUSES[there["orderProgress"]]


def _work_state(order: Mapping[str, Any], status: str) -> str:
    """Give the shop's own state: parcels that are all registered are shipped before the marketplace's night."""
    if status == "cancelled":
        return "cancelled"
    if status in LEFT:
        return "shipped"
    known: str = order["work_state"]
    is_told = "shipped" in order["milestones"]
    allowed = {"shipped"} if is_told else {"in_progress"} if status in {"accepted", "ready"} else {"new", "in_progress"}
    return known if known in allowed else min(allowed)


def _wrong_units(order: dict[str, Any], stream: Sequence[Fact]) -> list[str]:
    """Hold each line's units against all that was ever told of it."""
    found = []
    for line in order["lines"]:
        told = [one for _, fact in stream for one in fact["lines"] if one["id"] == line["id"]]
        had = max(one["quantity"] for one in told)
        left = max((one["quantity"] for one in told if one["status"] in LEFT), default=0)
        live = 0 if line["status"] == "cancelled" else line["quantity"]
        is_open = line["status"] not in {*LEFT, "cancelled"}
        wanted = {
            "cancelled_quantity": had - live,
            "open_quantity": max(live - left, 0) if is_open else 0,
            "shipped_quantity": left,
            "returned_quantity": 0,
        }
        found += [f"{name} is {line[name]}, not {count}" for name, count in wanted.items() if line[name] != count]
    return found


def _wrong_facts(order: dict[str, Any], stream: Sequence[Fact]) -> list[str]:
    kinds = [kind for kind, _ in stream]
    versions = [fact["version"] for _, fact in stream]
    found = [] if versions == list(range(1, order["version"] + 1)) else [f"versions {versions}"]
    once = ONCE if order["first_seen_by"] == BY_FILE else (*ONCE, *ONCE_SHOWN)
    found += [f"{kind} told {kinds.count(kind)} times" for kind in once if kinds.count(kind) > 1]
    # A reader that hears facts twice and late keeps the newest: it must end where a look at the order ends.
    heard: dict[str, Any] = {"version": 0}
    for _, fact in [*stream, *reversed(stream)]:
        heard = fact if fact["version"] > heard["version"] else heard
    found += [
        f"facts end at {name} {heard.get(name)}, shown is {order[name]}"
        for name in TOLD
        if heard.get(name) != order[name]
    ]
    parcels = [[one["tracking_number"], one["state"]] for one in heard.get("shipments", ())]
    told = [one for one in order["asked"] if one[1] in {"registered", "rejected", "in_doubt"}]
    if parcels != told:
        found.append(f"facts end at parcels {parcels}, asked were {told}")
    return found


def _wrongly_held(order: dict[str, Any], shelf: Shelf) -> list[str]:
    """Hold what the catalogue keeps for an order against what is open of it at the marketplace."""
    kept = {key[1]: line for key, line in shelf.lines.items() if key[0] == order["id"]}
    held = {line_id: line.reserved for line_id, line in kept.items() if line.reserved}
    is_open = {line["id"]: line["open_quantity"] for line in order["lines"] if line["open_quantity"]}
    return [] if held == is_open else [f"the catalogue holds {held}, open is {is_open}"]


def _wrong_stock(shelf: Shelf, shown: Any) -> list[str]:
    """Hold the shelf against the sums: what is held is open, and no more left it than orders say."""
    is_open = sum(line["open_quantity"] for order in shown for line in order["lines"])
    left = sum(line["shipped_quantity"] for order in shown for line in order["lines"])
    stock = shelf.stock
    found = [] if stock.committed == is_open else [f"{stock.committed} units of {SKU} are held, {is_open} are open"]
    return (
        found if START - left <= stock.on_hand <= START else [*found, f"{START - stock.on_hand} units left, not {left}"]
    )


async def _wrong_buyers(world: World, shown: Any) -> list[str]:
    """Look whether erased buyers are gone and the others are there."""
    async with world.means.db.begin() as tx:
        told = await buyers.personal_of(tx, world.means.keyring, [order["id"] for order in shown])
        raw = {
            row["order_id"]
            for row in await tx.fetch(
                "select order_id from raw_orders where order_id = any($1::text[])", [order["id"] for order in shown]
            )
        }
    erased = {order["id"] for order in shown if order["erased_at"]}
    found = [f"{one} was erased and is back" for one in sorted(erased & (told.keys() | raw))]
    return found + [
        f"{order['id']} has no buyer" for order in shown if order["id"] not in erased and order["id"] not in told
    ]
