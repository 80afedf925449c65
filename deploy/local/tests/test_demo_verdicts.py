"""The demo's checker passes what is right and says what is wrong; each case breaks one thing that was right."""

import base64
import copy
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import jinja2
import pytest

from hanro_local.demo.checker.findings import Findings, compare
from hanro_local.demo.checker.letters import Letter, expected_letter, read_letter
from hanro_local.demo.checker.log import Event
from hanro_local.demo.checker.report import last_line, report
from hanro_local.demo.checker.seen import Seen
from hanro_local.demo.goods import OFFERS
from hanro_local.demo.letter import BODY, SHOP_NAME, SUBJECT
from hanro_rakuten_ichiba.simulator.buyers import invent_order
from hanro_rakuten_ichiba.simulator.buyers.catalogue import CATALOGUE

ACCOUNT = "acc_1"
UNDECIDED = -9999

Entry = dict[str, Any]


def invented(count: int) -> list[Entry]:
    chance = random.Random(7)  # noqa: S311  repeatable on purpose
    placed_at = datetime(2026, 6, 1, 3, 4, 5, tzinfo=UTC)
    return [
        invent_order(chance, shop_number="999001", placed_at=placed_at, sequence=sequence, wishes={})
        for sequence in range(1, count + 1)
    ]


def mail_of(number: int, letter: Letter) -> Entry:
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["To"] = letter.recipients[0]
    message.set_content(letter.body, charset="utf-8", cte="base64")
    raw = base64.b64encode(message.as_bytes(policy=SMTP)).decode()
    return {"id": number, "envelope_recipients": list(letter.recipients), "raw_base64": raw}


def items_of(tree: Entry) -> list[Entry]:
    return [item for package in tree["PackageModelList"] for item in package["ItemModelList"]]


def event(topic: str, kind: str, key: str, version: int, **data: object) -> Event:
    told = {"account_id": ACCOUNT, "version": version, **data}
    return Event(topic=topic, key=key, id=f"evt_{key}_{version}", type=kind, data=told, value=repr(told).encode())


def well(count: int = 6) -> Seen:
    """Everything as it must be for a few orders; stock has one SKU for all."""
    trees = invented(count)
    orders: list[Entry] = []
    reservations: list[Entry] = []
    for place, tree in enumerate(trees):
        lines = [
            {"id": f"lin_{item['itemDetailId']}", "external_id": str(item["itemDetailId"])} for item in items_of(tree)
        ]
        orders.append({"id": f"ord_{place}", "external_id": tree["orderNumber"], "version": 1, "lines": lines})
        reservations += [
            {
                "line_id": f"lin_{item['itemDetailId']}",
                "external_id": tree["orderNumber"],
                "sku": "ALL",
                "reserved": item["units"],
            }
            for item in items_of(tree)
        ]
    committed = sum(row["reserved"] for row in reservations)
    stock = {"sku": "ALL", "on_hand": 1000, "committed": committed, "available": 1000 - committed, "short_count": 0}
    return Seen(
        trees={tree["orderNumber"]: tree for tree in trees},
        requests=[{"has_effect": False}],
        refused_for_rate=0,
        mails=[mail_of(place, expected_letter(tree, SHOP_NAME)) for place, tree in enumerate(trees, start=1)],
        orders=orders,
        reservations=reservations,
        stock=[stock],
        messages=[{"order_id": order["id"], "state": "handed_over"} for order in orders],
        accounts=[],
        events=[
            event("hanro.orders", "hanro.order.placed.v1", order["id"], 1, external_id=order["external_id"])
            for order in orders
        ],
    )


def judged(seen: Seen) -> Findings:
    return compare(seen, account_id=ACCOUNT, shop_name=SHOP_NAME)


def test_what_is_right_passes_and_is_told_in_one_line() -> None:
    findings = judged(well())
    assert findings.is_well, list(report(findings))
    assert last_line(findings, order_count=6, kill_count=4) == (
        "demo: 6 of 6 stored, reserved and mailed, 4 kills, 0 lost, 0 double"
    )


def lose_order(seen: Seen) -> None:
    seen.orders.pop()


def store_twice(seen: Seen) -> None:
    seen.orders.append(copy.deepcopy(seen.orders[0]) | {"id": "ord_again", "lines": []})


def announce_twice(seen: Seen) -> None:
    number = seen.orders[0]["external_id"]
    seen.events.append(event("hanro.orders", "hanro.order.placed.v1", "ord_again", 1, external_id=number))


def lose_fact(seen: Seen) -> None:
    seen.events.pop()


def skip_version(seen: Seen) -> None:
    seen.events.append(event("hanro.orders", "hanro.order.changed.v1", "ord_0", 3, external_id="?"))


def leave_unpublished(seen: Seen) -> None:
    seen.orders[0]["version"] = 2


def reserve_less(seen: Seen) -> None:
    seen.reservations[0]["reserved"] -= 1


def reserve_twice(seen: Seen) -> None:
    seen.reservations.append(copy.deepcopy(seen.reservations[0]))


def keep_for_cancelled(seen: Seen) -> None:
    next(iter(seen.trees.values()))["orderProgress"] = 900


def miscount_stock(seen: Seen) -> None:
    seen.stock[0]["available"] += 1


def lose_mail(seen: Seen) -> None:
    seen.mails.pop()


def mail_twice(seen: Seen) -> None:
    seen.mails.append(seen.mails[0] | {"id": 99})


def mail_stranger(seen: Seen) -> None:
    letter = read_letter(seen.mails[0])
    seen.mails[0] = mail_of(1, Letter(("stranger@pc.fw.rakuten.ne.jp",), letter.subject, letter.body))


def break_character(seen: Seen) -> None:
    letter = read_letter(seen.mails[0])
    seen.mails[0] = mail_of(1, Letter(letter.recipients, letter.subject, letter.body.replace("〜", "～")))


def break_mail(seen: Seen) -> None:
    seen.mails[0]["raw_base64"] = base64.b64encode(b"Content-Type: text/html\r\n\r\n<p>").decode()


def leave_message_open(seen: Seen) -> None:
    seen.messages[0]["state"] = "sending"


def write_outward(seen: Seen) -> None:
    seen.requests.append({"has_effect": True})


def leak_address(seen: Seen) -> None:
    address = next(iter(seen.trees.values()))["OrdererModel"]["emailAddress"]
    seen.events[0] = Event(**{**vars(seen.events[0]), "value": f'"{address}"'.encode()})


@pytest.mark.parametrize(
    "spoil",
    [
        lose_order, store_twice, announce_twice, lose_fact, skip_version, leave_unpublished, reserve_less,
        reserve_twice, keep_for_cancelled, miscount_stock, lose_mail, mail_twice, mail_stranger, break_character,
        break_mail, leave_message_open, write_outward, leak_address,
    ],
)  # fmt: skip
def test_one_thing_that_is_wrong_is_seen(spoil: Callable[[Seen], None]) -> None:
    seen = well()
    spoil(seen)
    findings = judged(seen)
    assert not findings.is_well
    assert any("DIFFERS" in line or "!" in line for line in report(findings))


def test_lost_and_double_orders_are_counted_in_the_last_line() -> None:
    seen = well()
    mail_twice(seen)
    seen.mails.pop(1)
    line = last_line(judged(seen), order_count=6, kill_count=4)
    assert line == "demo: 4 of 6 stored, reserved and mailed, 4 kills, 1 lost, 1 double"


@pytest.mark.parametrize("copies", [0, 1])
def test_one_mail_in_doubt_may_have_arrived_or_not(copies: int) -> None:
    seen = well()
    seen.messages[0]["state"] = "in_doubt"
    del seen.mails[copies:1]
    findings = judged(seen)
    assert findings.is_well, list(report(findings))
    assert "6 of 6 stored, reserved and mailed, 1 in doubt" in last_line(findings, order_count=6, kill_count=4)


def test_two_mails_in_doubt_are_one_too_many() -> None:
    seen = well()
    seen.messages[0]["state"] = seen.messages[1]["state"] = "in_doubt"
    assert not judged(seen).is_well


def test_the_checker_writes_letters_as_the_template_does() -> None:
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False)  # noqa: S701  a mail in plain text

    def amount(value: int) -> str:
        return "" if value == UNDECIDED else f"{value:,}"

    trees = invented(200)
    assert any(tree["postagePrice"] == UNDECIDED for tree in trees)
    for tree in trees:
        orderer = tree["OrdererModel"]
        variables = {
            "shop": {"name": SHOP_NAME},
            "order": {"external_id": tree["orderNumber"], "placed_at": "2026-06-01 12:04"},
            "buyer": {"name": f"{orderer['familyName']} {orderer['firstName']}"},
            "lines": [
                {"title": item["itemName"], "quantity": item["units"], "unit_price": amount(item["price"])}
                for item in items_of(tree)
            ],
            "totals": {
                "goods": amount(tree["goodsPrice"]),
                "postage": amount(tree["postagePrice"]),
                "payable": amount(tree["requestPrice"]),
            },
        }
        letter = expected_letter(tree, SHOP_NAME)
        assert letter.subject == environment.from_string(SUBJECT).render(variables)
        assert letter.body == environment.from_string(BODY).render(variables)


def test_the_demo_shop_sells_what_the_simulators_buyers_buy() -> None:
    bought = {(line.manage_number, line.variant_id) for line in CATALOGUE}
    assert {(offer.manage_number, offer.variant_id) for offer in OFFERS} == bought
    own = {(line.variant_id, line.merchant_sku_id) for line in CATALOGUE if line.merchant_sku_id}
    assert own <= {(offer.variant_id, offer.sku) for offer in OFFERS}


def test_the_checker_loads_nothing_of_hanro_and_no_service() -> None:
    look = (
        "import sys, hanro_local.demo.checker.seen, hanro_local.demo.checker.findings, hanro_local.demo.checker.report;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} &"
        " {'hanro', 'hanro_rakuten_ichiba', 'simkit', 'account_svc', 'catalog_svc', 'order_svc', 'notifier_svc'}))"
    )
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=30)
    assert told.stdout == "[]\n"
