"""Answers what reads orders: views by time, and orders by number."""

from datetime import timedelta

from hanro_sandbox.simulator.buying import payment
from hanro_sandbox.simulator.life import OPEN, Market
from hanro_sandbox.simulator.shops import Shop
from hanro_sandbox.simulator.wire import Refused, Tree, listed, read_moment, write_moment

PAGE = 100
MOST = 100
REACH = timedelta(days=365)
# By which time a view goes.
VIEWS = {"placed": "placed_at", "open": "placed_at", "changed": "changed_at"}


def search_orders(market: Market, shop: Shop, body: Tree) -> Tree:
    """Show a page of a view, oldest first, behind the place that the page before gave as `next`."""
    view = body.get("view")
    if view not in VIEWS:
        raise Refused(422, "malformed", "view が正しくありません。", field="view")
    start, end = (read_moment(body.get(name), name) for name in ("from", "to"))
    if start < market.now() - REACH:
        raise Refused(422, "too_far_back", "365 日より前は検索できません。", field="from")
    limit = body.get("limit", PAGE)
    if not isinstance(limit, int) or not 1 <= limit <= PAGE:
        raise Refused(422, "malformed", f"limit は 1 から {PAGE} です。", field="limit")
    after, _, begun = str(body.get("after") or "").partition("~")
    # A run of `open` goes on as it began: what left the view meanwhile is shown all the same.
    begun = begun or write_moment(market.now())
    name = VIEWS[view]
    found = []
    for order in shop.orders.values():
        at = read_moment(order[name], name)
        place = f"{at.isoformat()} {order['id']}"
        if start <= at < end and place > after and view not in shop.hidden[order["id"]] and _shows(view, order, begun):
            found.append((place, order))
    found.sort(key=lambda one: one[0])
    shown = found[:limit]
    return {
        "orders": [order for _, order in shown],
        "next": f"{shown[-1][0]}~{begun}" if len(found) > len(shown) else None,
    }


def get_orders(shop: Shop, body: Tree) -> Tree:
    """Show orders by number; `with` payment adds how they were paid."""
    ids = listed(body, "ids", MOST)
    is_paid_shown = "payment" in (body.get("with") or [])
    found = [shop.orders[order_id] for order_id in ids if order_id in shop.orders]
    return {
        "orders": [{**order, "payment": payment(order)} if is_paid_shown else order for order in found],
        "missing": [order_id for order_id in ids if order_id not in shop.orders],
    }


def _shows(view: str, order: Tree, begun: str) -> bool:
    is_open = any(line["state"] in OPEN for line in order["lines"])
    return view != "open" or is_open or (order["changed_at"] >= begun and order["changed_at"] != order["placed_at"])
