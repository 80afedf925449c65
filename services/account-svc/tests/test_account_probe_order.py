"""What a preflight asks for first, what it need not ask, and how long it takes."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from account_samples import NOON, grant, row

from account_svc.domain.probes import asked_for, carry, in_order, judged_early, open_groups, seconds_of
from hanro.marketplace.types import ApiGroup, Capability, Grant, GrantState, Limits, Supported

GRANTED, DENIED, UNKNOWN = GrantState.GRANTED, GrantState.DENIED, GrantState.UNKNOWN


@dataclass(frozen=True)
class Declared:
    """Declare what the tests are about."""

    grants: tuple[Grant, ...]
    capabilities: dict[Capability, Supported]


DECLARED = Declared(
    grants=(
        replace(grant("images"), group="shelf"),
        grant("memo"),
        grant("confirm"),
        grant("search"),
        replace(grant("stock"), group="shelf"),
        replace(grant("key"), group="key"),
    ),
    capabilities={
        Capability.FIND_ORDERS: Supported(grant_ids=frozenset({"search"})),
        Capability.ACCEPT: Supported(grant_ids=frozenset({"search", "confirm"})),
        Capability.SET_STOCK: Supported(grant_ids=frozenset({"stock"})),
    },
)


def group(name: str, **shares: str) -> ApiGroup:
    return ApiGroup(
        name=name,
        request_count=1,
        period=timedelta(seconds=1),
        burst=1,
        shares={service: Decimal(share) for service, share in shares.items()},
        source="sample",
    )


LIMITS = Limits(
    groups={
        "order": group("order", order_svc="0.98", account_svc="0.02"),
        "shelf": group("shelf", catalog_svc="0.98", account_svc="0.02"),
        "key": group("key", account_svc="1"),
    },
    batches={},
    read_lag={},
    call_deadline=timedelta(seconds=5),
    max_quantity=1,
    max_axes=1,
    max_variants=1,
    max_images=1,
)


def test_what_is_needed_is_asked_first_then_what_is_used_then_the_rest() -> None:
    asked = [one.id for one in in_order(DECLARED, {})]
    assert asked == ["search", "confirm", "stock", "images", "memo", "key"]


def test_what_was_lost_is_asked_first_and_what_nobody_knows_before_what_was_there() -> None:
    known = {"stock": DENIED, "search": GRANTED, "confirm": GRANTED, "memo": GRANTED, "key": UNKNOWN}
    asked = [one.id for one in in_order(DECLARED, known)]
    assert asked == ["stock", "search", "images", "key", "confirm", "memo"]


def test_who_asks_is_answered_about_what_was_missing_and_what_is_needed() -> None:
    known = {"stock": DENIED, "search": GRANTED, "confirm": GRANTED, "memo": UNKNOWN}
    ordered = in_order(DECLARED, known)
    assert [one.id for one in asked_for(DECLARED, ordered, known)] == ["stock", "search"]
    assert asked_for(DECLARED, ordered, known | {"stock": GRANTED}) == ordered


def test_an_account_works_once_all_that_hanro_calls_beside_what_it_needs_is_known() -> None:
    assert judged_early(DECLARED) == {"search", "confirm"}


@pytest.mark.parametrize(("is_first", "names"), [(True, {"shelf", "key"}), (False, {"key"})])
def test_others_have_their_rate_once_the_account_works(names: set[str], *, is_first: bool) -> None:
    assert open_groups(DECLARED, LIMITS, "account_svc", is_first=is_first) == names


def test_where_something_was_missing_what_was_granted_lately_is_not_asked_again_but_what_is_needed_is() -> None:
    last = {name: row(name, GRANTED) for name in ("search", "confirm", "stock", "key", "images", "memo")}
    since = NOON - timedelta(minutes=1)
    assert carry(DECLARED, last, since) == {}
    lost = last | {"stock": row("stock", DENIED)}
    assert set(carry(DECLARED, lost, since)) == {"confirm", "key", "images", "memo"}
    assert carry(DECLARED, lost, NOON + timedelta(seconds=1)) == {}


def test_an_estimate_is_the_slowest_group_s_at_the_rate_that_is_left() -> None:
    assert seconds_of(DECLARED.grants, LIMITS, "account_svc", is_alone=True) == 2
    assert seconds_of(DECLARED.grants, LIMITS, "account_svc", is_alone=False) == pytest.approx(100)
