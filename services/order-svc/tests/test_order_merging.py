"""What files said before is put together from the sheet and the buyer's part; of an erased buyer nothing comes."""

import json
from dataclasses import replace

import pytest
from note_subjects import whole_order
from order_sightings import NOON, account

from hanro.marketplace.types import Address, Claim, ClaimKind, ClaimStage, OrderRef, Party, SeenOrder
from order_svc.domain.merging import Mode, Terms, merged
from order_svc.domain.reconcile import Change, reconcile

CLAIM = Claim(
    external_id="c1",
    kind=ClaimKind.RETURN,
    stage=ClaimStage.REQUESTED,
    status_text="5",
    order=OrderRef(external_id="100001-20260301-0000000001"),
    line_id="1",
    quantity=1,
    by=Party.BUYER,
    reason="色が違いました",
)
WHOLE = whole_order(claims=(CLAIM,))


def stored(order: SeenOrder) -> Change:
    """Give what is stored of an order."""
    change = reconcile(None, order, account=account(), route="csv", at=NOON)
    assert change is not None
    return change


def blank(order: SeenOrder) -> SeenOrder:
    """Give what a file says that leaves blank all that is told apart of the buyer."""
    packages = tuple(replace(one, address=None) for one in order.packages)
    return replace(order, claims=(), payments=(), gift=None, buyer=None, packages=packages)


@pytest.mark.parametrize("mode", ["update", "overwrite"])
def test_what_a_file_leaves_blank_stays_whole(mode: Mode) -> None:
    change = stored(WHOLE)
    assert change.personal is not None
    terms = Terms(mode=mode, reserves_stock=False, covers=frozenset({"lines.title"}))
    found = merged(blank(WHOLE), change.order, json.loads(change.personal), terms)
    assert (found.claims, found.payments, found.gift, found.buyer) == (
        WHOLE.claims,
        WHOLE.payments,
        WHOLE.gift,
        WHOLE.buyer,
    )
    assert found.packages == WHOLE.packages


@pytest.mark.parametrize("mode", ["update", "overwrite"])
def test_without_the_buyers_part_a_file_is_taken_in_with_what_is_not_personal(mode: Mode) -> None:
    terms = Terms(mode=mode, reserves_stock=False, covers=frozenset({"lines.title"}))
    found = merged(blank(WHOLE), stored(WHOLE).order, None, terms)
    assert [(one.external_id, one.reason) for one in found.claims] == [("c1", "")]
    assert [(one.method, dict(one.details)) for one in found.payments] == [("クレジットカード", {})]
    assert (found.buyer, found.packages[0].address) == (None, None)


def test_an_address_of_a_file_is_kept_whole_where_nothing_of_the_buyer_is_stored() -> None:
    place = Address(lines=("見本町",), country="JP")
    said = replace(blank(WHOLE), packages=(replace(WHOLE.packages[0], address=place),))
    terms = Terms(mode="update", reserves_stock=False, covers=frozenset())
    assert merged(said, stored(WHOLE).order, None, terms).packages[0].address == place


@pytest.mark.row("O5", kind="walks")
@pytest.mark.parametrize(("mode", "kept"), [("update", {"day": "2026-05-18"}), ("overwrite", {})])
def test_a_detail_that_a_file_tells_no_more_is_kept_or_goes_whole(mode: Mode, kept: dict[str, str]) -> None:
    """A day until which it could be cancelled is told of new orders alone: a later file leaves it out."""
    terms = Terms(mode=mode, reserves_stock=False, covers=frozenset({"details.day"}))
    told = replace(WHOLE, details={"day": "2026-05-18", "other": "1"})
    found = merged(replace(WHOLE, details={}), stored(told).order, None, terms)
    assert found.details == {**kept, "other": "1"}


@pytest.mark.row("O5", kind="walks")
@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("mode", ["update", "overwrite"])
def test_files_that_call_a_destination_otherwise_speak_of_the_same_one(mode: Mode, *, knows: bool) -> None:
    """The old layout counts destinations from 1, the present one knows their ids."""
    known, counted = ("p1", "1") if not knows else ("1", "p1")
    covers = {"packages.postage", *(("packages.external_id", "lines.package_id") if knows else ())}
    terms = Terms(mode=mode, reserves_stock=False, covers=frozenset(covers))
    plain = replace(WHOLE.packages[0], noshi=None)
    told = called(replace(WHOLE, packages=(replace(plain, noshi="内祝"),)), known)
    found = merged(called(blank(replace(WHOLE, packages=(plain,))), counted), stored(told).order, None, terms)
    (package,) = found.packages
    assert (package.external_id, package.noshi) == ("p1", "内祝")
    assert {line.package_id for line in found.lines} == {"p1"}


def called(order: SeenOrder, name: str) -> SeenOrder:
    """Give an order whose one destination has that name."""
    return replace(
        order,
        packages=tuple(replace(one, external_id=name) for one in order.packages),
        lines=tuple(replace(one, package_id=name) for one in order.lines),
    )
