"""The system event notification, section 11: what is sent when, to whom, how often, and what the journal keeps."""

import json
import time
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from ichiba_receiver import RECEIVED, Receiver, receiving
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

NOON = "2026-06-01T12:00:00+09:00"
AUTH_KEY = "synthetic-auth-key"
# The fragment of section 11, without the line break between its two parts.
SHIP = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<notifyModel><authModel><contractId>1</contractId><shopUrl>example-shop</shopUrl><authKey>TEST</authKey></authModel>"
    "<notifyInfoModel><requestId>r-999001-2</requestId><serviceId>5000</serviceId><functionId>1100</functionId>"
    '<value1 name="orderNumber">{number}</value1><value2 name="notificationType">1</value2>'
    '<value3 name="occurrenceDatetime">2026/06/01 12:01:0{second}</value3></notifyInfoModel></notifyModel>'
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("events")) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator, receiver: Receiver) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    set_clock(simulator, NOON)
    shop = open_shop(simulator, "999001")
    subscribe(shop, receiver)
    yield shop
    shop.control("DELETE", "/event-notification")


def subscribe(shop: Shop, receiver: Receiver, **more: str) -> None:
    shop.control("PUT", "/event-notification", {"url": receiver.url, "auth_key": AUTH_KEY, **more})


def place(shop: Shop, **wish: object) -> str:
    return str(shop.control("POST", "/orders", {"is_plain": True, **wish})["external_id"])


def advance(shop: Shop, seconds: float) -> None:
    shop.simulator.control("PUT", "/clock", {"advance_seconds": seconds})


def events(shop: Shop, count: int) -> list[dict[str, Any]]:
    """Give the journal's deliveries to a shop once there are so many: they are noted when the answer is read."""
    ends_at = time.monotonic() + 20
    while True:
        entries = shop.simulator.control("GET", "/journal?kind=event")["entries"]
        found = [entry for entry in entries if entry["shop"] == shop.id and "notice" in entry]
        if len(found) >= count:
            return found
        assert time.monotonic() < ends_at, found
        time.sleep(0.02)


def values(body: str) -> dict[str, str]:
    """Give the service and the named values of a system's notice."""
    (model,) = ET.fromstring(body).iter("notifyInfoModel")  # noqa: S314  our own simulator's
    named = {value.get("name", ""): value.text or "" for value in model if value.tag.startswith("value")}
    return {"serviceId": model.findtext("serviceId", ""), **named}


def test_a_new_order_is_told_with_its_lines_and_the_shops_key(shop: Shop, receiver: Receiver) -> None:
    number = place(shop, lines=[{"manageNumber": "towel-01", "units": 2}, {"manageNumber": "cookie-12"}])
    receiver.wait()
    (body,) = receiver.bodies
    root = ET.fromstring(body)  # noqa: S314  our own simulator's
    assert root.tag == "orderNotifyModel"
    assert [child.text for child in root[0]] == ["1", "sample-shop-999001", AUTH_KEY]
    order = root.find("orderInfoNotifyModel")
    assert order is not None
    assert [order.findtext(name) for name in ("orderNumber", "seqId", "orderType")] == [number, "1", "1"]
    assert str(order.findtext("orderDate")).startswith("2026/06/01 12:00:")
    first, second = order.findall("basketModel")
    assert [child.tag for child in first] == [
        "itemId",
        "pageURL",
        "inventoryType",
        "units",
        "orgItemNumber",
        "itemNumber",
        "selectedChoice",
        "h_choice_c_name",
        "v_choice_c_name",
    ]
    assert [first.findtext(name) for name in ("pageURL", "units")] == ["towel-01", "2"]
    assert second.findtext("pageURL") == "cookie-12"
    assert receiver.types == ["text/xml; charset=UTF-8"]


def test_a_finished_authorisation_is_told_in_the_shape_of_the_fragment(shop: Shop, receiver: Receiver) -> None:
    subscribe(shop, receiver, auth_key="TEST", shop_url="example-shop")
    number = place(shop)
    receiver.wait()
    shop.post("confirmOrder", json.dumps({"orderNumberList": [number]}).encode())
    advance(shop, 61)
    receiver.wait()
    wanted = {SHIP.format(number=number, second=second) for second in range(10)}
    assert receiver.bodies[1] in wanted


def test_withdrawals_refusals_cautions_and_edits_have_their_own_notices(shop: Shop, receiver: Receiver) -> None:
    number = place(shop, progress=300)
    receiver.wait()
    shop.control("POST", f"/orders/{number}/caution", {"display_type": 1, "detail_type": 103})
    receiver.wait()
    shop.control("POST", f"/orders/{number}/edit", {"member": "deliveryDate", "value": "2026-06-09"})
    receiver.wait()
    shop.control("POST", f"/orders/{number}/request-cancel")
    receiver.wait()
    other = place(shop, progress=200)
    receiver.wait()
    shop.control("POST", f"/orders/{other}/fail-authorisation")
    receiver.wait()
    caution, edit, withdrawn, _, refused = (body for body in receiver.bodies[1:])
    assert [values(caution)[key] for key in ("serviceId", "orderNumber", "cautionDisplayType")] == ["5100", number, "1"]
    edited = values(edit)
    assert [edited[key] for key in ("serviceId", "orderNumber", "field", "after")] == [
        "4000",
        number,
        "deliveryDate",
        "2026-06-09",
    ]
    assert len(edited) == 11
    assert [values(withdrawn)[key] for key in ("serviceId", "notificationType")] == ["5000", "3"]
    assert [values(refused)[key] for key in ("orderNumber", "notificationType")] == [other, "2"]
    tree = shop.control("GET", f"/orders/{other}")["tree"]
    assert tree["orderProgress"] == 900
    edited_tree = shop.control("GET", f"/orders/{number}")["tree"]
    assert [edited_tree[key] for key in ("modifyFlag", "cautionDisplayDetailType")] == [1, 103]


def test_a_notice_that_is_not_taken_comes_again_with_its_id_until_it_is(shop: Shop, receiver: Receiver) -> None:
    refusal = RECEIVED.replace(b"N-000-000", b"E-400-900")
    receiver.answers = [(500, b"broken"), (200, refusal), (200, RECEIVED)]
    place(shop)
    receiver.wait()
    events(shop, 1)
    for seconds, count in ((61, 2), (301, 3)):
        advance(shop, seconds)
        receiver.wait()
        events(shop, count)
    advance(shop, 86_400)
    found = events(shop, 3)
    assert [(entry["attempt"], entry["status"], entry["result"]) for entry in found] == [
        (1, 500, "HTTP 500"),
        (2, 200, "E-400-900"),
        (3, 200, "N-000-000"),
    ]
    assert len(receiver.bodies) == 3
    assert len(set(receiver.bodies)) == 1


def test_a_receiver_that_is_gone_is_tried_as_often_as_is_assumed(shop: Shop, receiver: Receiver) -> None:
    with receiving() as gone:
        subscribe(shop, gone)
    place(shop)
    for count in range(1, 5):
        assert events(shop, count)[-1]["result"] == "ConnectionRefusedError"
        advance(shop, 1801)
    assert len(events(shop, 4)) == 4
    subscribe(shop, receiver)


def test_the_journal_keeps_both_bodies_and_no_secret(shop: Shop, receiver: Receiver) -> None:
    number = place(shop)
    receiver.wait()
    (entry,) = events(shop, 1)
    assert number in entry["request_body"]
    assert entry["response_body"] == RECEIVED.decode()
    assert entry["url"] == f"http://127.0.0.1:{receiver.port}/notices/ichiba"
    assert AUTH_KEY not in json.dumps(entry)


def test_a_notice_is_repeated_byte_for_byte_and_a_raw_one_sent_as_it_is(shop: Shop, receiver: Receiver) -> None:
    place(shop)
    receiver.wait()
    shop.control("POST", "/event-notification/notices/1/repeat", {"times": 3})
    receiver.wait(3)
    assert len(set(receiver.bodies)) == 1
    shop.control("POST", "/event-notification/raw", {"body": "<no xml", "content_type": "text/plain"})
    receiver.wait()
    assert (receiver.bodies[-1], receiver.types[-1]) == ("<no xml", "text/plain")
    unknown = shop.simulator.send("POST", f"/_sim/shops/{shop.id}/event-notification/notices/9/repeat")
    assert unknown.status == 404
    restock = {"service_id": 4100, "values": {"pageURL": "towel-01", "choice hor": "<&\"'"}}
    shop.control("POST", "/event-notification/notices", restock)
    receiver.wait()
    assert values(receiver.bodies[-1]) == {"serviceId": "4100", "pageURL": "towel-01", "choice hor": "<&\"'"}
    assert [notice["id"] for notice in shop.control("GET", "/event-notification/notices")["notices"]] == [1, 2, 3]


def test_nothing_is_sent_before_the_application_takes_effect(shop: Shop, receiver: Receiver) -> None:
    shop.control("POST", "/event-notification/apply", {"company": "見本開発", "start_day": "2026-06-02"})
    place(shop)
    for step in ("approve-access", "check", "approve"):
        shop.control("POST", f"/event-notification/{step}")
    place(shop)
    assert shop.control("GET", "/event-notification/notices") == {"notices": []}
    set_clock(shop.simulator, "2026-06-02T09:00:00+09:00")
    number = place(shop)
    receiver.wait()
    assert len(receiver.bodies) == 1
    assert number in receiver.bodies[0]


def test_an_order_of_another_shop_is_not_told(shop: Shop, receiver: Receiver) -> None:
    other = open_shop(shop.simulator, "999002")
    number = place(other, progress=200)
    other.control("POST", f"/orders/{number}/fail-authorisation")
    own = place(shop)
    receiver.wait()
    assert len(receiver.bodies) == 1
    assert own in receiver.bodies[0]
    again = shop.simulator.send("POST", f"/_sim/shops/{other.id}/orders/{number}/fail-authorisation")
    assert again.status == 409
