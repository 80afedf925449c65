"""One bad order becomes an UnreadableOrder with its bytes and the way to what is wrong; it never stops the others."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ichiba_mapped import SEEN_AT, full_tree, sight, unreadable

from hanro.errors import ContractBroken
from hanro.marketplace.types import SeenOrder, UnreadableOrder
from hanro_rakuten_ichiba.decoding import decode
from hanro_rakuten_ichiba.mapping.order import map_order

ITEM = "/PackageModelList/0/ItemModelList/1"


def put(tree: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    node: Any = tree
    *way, last = [int(step) if step.isdecimal() else step for step in pointer.split("/")[1:]]
    for step in way:
        node = node[step]
    node[last] = value
    return tree


@pytest.mark.parametrize("progress", [150, 0, None, "300x", "deleteItemFlag 1", 1e2, True, [300]])
def test_an_unknown_state_is_never_guessed(progress: object) -> None:
    order = unreadable(full_tree() | {"orderProgress": progress})
    assert isinstance(order.failure, ContractBroken)
    expected = "unknown-status" if isinstance(progress, int | float | str) and progress is not True else "unreadable"
    assert order.failure.code == expected
    assert order.external_id == "999001-20260511-0123456789"


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/orderDatetime", None),
        ("/orderDatetime", "11.05.2026"),
        ("/requestPrice", None),
        ("/requestPrice", "NaN"),
        ("/requestPrice", 9150.5),
        ("/requestPrice", "1e400"),
        ("/OrdererModel", None),
        ("/PackageModelList", None),
        ("/PackageModelList", "none"),
        ("/PackageModelList/0/SenderModel", None),
        ("/PackageModelList/0/basketId", None),
        (f"{ITEM}/units", None),
        (f"{ITEM}/units", -1),
        (f"{ITEM}/units", 1.5),
        (f"{ITEM}/price", "gratis"),
        (f"{ITEM}/itemDetailId", None),
        (f"{ITEM}/includeTaxFlag", 2),
        ("/CouponModelList/0/couponCapitalCode", 9),
        ("/TaxSummaryModelList/1/taxRate", None),
        ("/TaxSummaryModelList/0", 5),
    ],
)
def test_a_member_that_is_not_as_documented_is_named(pointer: str, value: object) -> None:
    order = unreadable(put(full_tree(), pointer, value))
    assert isinstance(order.failure, ContractBroken)
    assert (order.failure.code, order.failure.field) == ("unreadable", pointer)


def test_the_bytes_are_kept_and_the_failure_tells_nothing_of_the_buyer() -> None:
    tree = put(full_tree(), "/OrdererModel/emailAddress", ["canary@example.invalid"])
    order = unreadable(tree)
    assert order.raw == json.dumps(tree, ensure_ascii=False).encode()
    assert order.seen_at == SEEN_AT
    assert "canary" not in f"{order!r} {order.failure!r} {order.failure}"


@pytest.mark.parametrize("tree", [None, 5, "text", [], {}, {"orderNumber": ""}, {"orderNumber": {"a": 1}}])
def test_what_is_no_order_has_no_number(tree: object) -> None:
    assert unreadable(tree).external_id is None


def test_an_order_without_a_line_is_unreadable() -> None:
    order = unreadable(put(full_tree(), "/PackageModelList/0/ItemModelList", []))
    assert order.failure.field == "/PackageModelList"


def test_a_line_that_comes_twice_is_unreadable() -> None:
    order = unreadable(put(full_tree(), f"{ITEM}/itemDetailId", 90010001))
    assert order.failure.code == "unreadable"


@pytest.mark.parametrize(
    ("remarks", "kind"),
    [
        ("\ud800", UnreadableOrder),
        ('line\nline, "quoted" \\ \ud800', UnreadableOrder),
        ("\U0001f381", SeenOrder),
        ("a backslash: \\ud800", SeenOrder),
        ("ends with one \\", SeenOrder),
    ],
)
def test_half_a_character_is_unreadable_for_nothing_could_store_it(remarks: str, kind: type) -> None:
    body = json.dumps({"OrderModelList": [full_tree() | {"remarks": remarks}]}).encode()
    (fragment,) = decode(body).orders
    assert isinstance(map_order(fragment, SEEN_AT), kind)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def pointers(node: object, at: str = "") -> list[str]:
    if isinstance(node, dict):
        return [at, *(p for key, value in node.items() for p in pointers(value, f"{at}/{key}"))]
    if isinstance(node, list):
        return [at, *(p for place, value in enumerate(node) for p in pointers(value, f"{at}/{place}"))]
    return [at]


@given(st.sampled_from(pointers(full_tree())[1:]), JSON)
def test_whatever_stands_in_a_member_the_order_is_seen_or_unreadable(pointer: str, value: object) -> None:
    sighting = sight(put(full_tree(), pointer, value))
    assert isinstance(sighting, SeenOrder | UnreadableOrder)
