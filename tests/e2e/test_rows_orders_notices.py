"""Rows O17, O3, P2 and P6: notices are hints to look; whichever way comes first, and however often, it is one order."""

import asyncio
import secrets
from typing import Any

import pytest
from row_shops import Row
from running_stack import api_processes
from test_one_order import told_of
from test_rows_orders_finding import asked_anew, order, placed

from hanro_local.background import Background
from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 60.0
COPIES = 50
ON_HAND, UNITS = 10, 2
NOTICES = "/event-notification"
GET_ORDER = "/es/2.0/order/getOrder"
PLACED = "hanro.order.placed.v1"
STORED, WRONG_KEY = b"N-000-000", b"E-400-101"
GOODS = {"manage_number": "cup-01", "variant_id": "cup-01"}
BOUGHT = [{"manageNumber": "cup-01", "units": UNITS}]
BOTH_WAYS = ["placed", "open"]


async def notice_of(row: Row, number: str) -> dict[str, Any]:
    """Wait until the marketplace sent a notice of an order, and give it with the receiver's answer."""
    found: list[dict[str, Any]] = []

    async def is_sent() -> bool:
        sent = (await row.simulator("GET", f"{NOTICES}/notices"))["notices"]
        found[:] = [one for one in sent if number in one["body"] and one["result"]]
        return bool(found)

    await until(SECONDS, is_sent)
    return found[0]


async def map_goods(row: Row) -> str:
    """Give the account goods of a SKU of its own; gives the SKU."""
    sku, hanro = f"CUP-{secrets.token_hex(4).upper()}", row.doors.hanro
    goods = {"items": [{"code": sku, "title": "見本", "variants": [{"sku": sku, "title": "見本"}]}]}
    await hanro.call("POST", "/v1/products:bulk", goods, expected=(207,))
    counted = {"items": [{"sku": sku, "on_hand": ON_HAND, "if_version": 0}]}
    await hanro.call("POST", "/v1/stock:bulk", counted, expected=(207,))
    mapping = {"account_id": row.seller.account_id, "items": [{"keys": GOODS, "sku": sku}]}
    await hanro.call("POST", "/v1/listings:adopt", mapping, expected=(207,))
    return sku


async def is_told_once(row: Row, found: dict[str, Any]) -> None:
    """Look that an order is as it was found, that it was announced once, and that it is there once."""
    again = await order(row, found["external_id"])
    assert (again["id"], again["version"]) == (found["id"], found["version"])
    told = [event.id for event in await told_of(row.running.kafka, found["id"]) if event.type == PLACED]
    assert len(set(told)) == 1


@pytest.mark.row("O17", kind="walks")
@pytest.mark.row("O3", kind="walks")
@pytest.mark.row("O3", kind="refuses")
@pytest.mark.row("P2", kind="walks")
@pytest.mark.row("P2", kind="refuses")
@pytest.mark.row("P6", kind="walks")
@pytest.mark.row("P6", kind="refuses")
async def test_fifty_copies_of_a_notice_at_two_processes_are_one_order_one_announcement_one_reservation(
    kept_stack: Background[Stack], draft: Row
) -> None:
    key = f"sim-{secrets.token_hex(8)}"
    await draft.seller.enter(notice_auth_key=key)
    await draft.became(is_working=True)
    sku = await map_goods(draft)
    # No event arrives: polling sees it.
    polled = await order(draft, await placed(draft, lines=BOUGHT))
    assert polled["first_seen_by"] in BOTH_WAYS
    path = f"/v1/order/notices/{draft.seller.account_id}"
    await draft.simulator("PUT", NOTICES, {"url": f"{draft.doors.hanro.base}{path}", "auth_key": key})
    # No list shows it: the event alone tells.
    told = await order(draft, await placed(draft, lines=BOUGHT, hidden_from=BOTH_WAYS))
    assert told["first_seen_by"] == "notice"
    notice = await notice_of(draft, told["external_id"])
    assert notice["result"].encode() == STORED
    await draft.simulator("DELETE", NOTICES)

    fresh = await placed(draft, lines=BOUGHT, hidden_from=BOTH_WAYS)
    since = await draft.seller.place_in_journal()
    about_fresh = _about(notice["body"], told["external_id"], fresh, sequence="900001")
    async with api_processes(kept_stack, "order-svc", 2) as processes:
        client = draft.doors.hanro.client

        async def post(place: int, body: str) -> bytes:
            answer = await client.post(f"{processes[place % 2]}{path}", content=body.encode(), timeout=SECONDS)
            assert answer.status_code == 200
            return answer.content

        wrong = await post(0, about_fresh.replace(key, f"{key}x"))
        assert WRONG_KEY in wrong
        answers = await asyncio.gather(*(post(place, about_fresh) for place in range(COPIES)))
        assert all(STORED in answer for answer in answers)
        # The event of what polling found, behind it.
        late = _about(notice["body"], told["external_id"], polled["external_id"], sequence="900002")
        assert STORED in await post(1, late)
    found = await order(draft, fresh)
    assert found["first_seen_by"] == "notice"

    for one in (told, found):
        await draft.simulator("POST", f"/orders/{one['external_id']}/show", {"routes": ["placed"]})
    await asked_anew(draft.doors.hanro, draft.seller.account_id, "placed")
    for one in (polled, told, found):
        await is_told_once(draft, one)
    listed = f"/v1/orders?account_id={draft.seller.account_id}"
    assert len((await draft.doors.hanro.call("GET", listed)).json()["items"]) == 3
    reads = [one for one in await draft.seller.requests(since) if one["path"].startswith(GET_ORDER)]
    assert any(fresh in str(one) for one in reads)
    held = (await draft.doors.hanro.call("GET", f"/v1/reservations?order_id={found['id']}")).json()["items"]
    assert [(one["sku"], one["wanted"], one["reserved"]) for one in held] == [(sku, UNITS, UNITS)]
    stock = (await draft.doors.hanro.call("GET", f"/v1/stock/{sku}")).json()
    assert (stock["committed"], stock["available"]) == (3 * UNITS, ON_HAND - 3 * UNITS)


def _about(body: str, number: str, other: str, *, sequence: str) -> str:
    """Write the notice of another order as the marketplace would: its number, and a number of its own."""
    head, _, rest = body.partition("<seqId>")
    assert rest
    return f"{head}<seqId>{sequence}{rest[rest.index('</seqId>') :]}".replace(number, other)


@pytest.mark.row("O17", kind="refuses")
async def test_a_notice_to_nobody_is_answered_like_one_to_an_unknown_account(working: Row) -> None:
    client, base = working.doors.hanro.client, working.doors.hanro.base
    answer = await client.post(f"{base}/v1/order/notices/acc_nobody", content=b"<orderNotifyModel/>")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
