"""A preflight tells of each function whether the key may call it, and changes nothing there."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ichiba_samples import NOT_ENABLED, OLDER_UNAUTHORISED
from ichiba_session import CannedHttp, answered, open_session, open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator

from hanro.errors import ContractBroken, NeedsSeller, Retryable, Unsupported
from hanro.marketplace.types import Capability, ExpirySource, GrantState, PreflightRow, ProbeKind, Supported
from hanro_rakuten_ichiba.access import IchibaAccess
from hanro_rakuten_ichiba.functions import FUNCTIONS, Family, Function
from hanro_rakuten_ichiba.plugin import plugin

PROBED = [grant.id for grant in plugin.grants if grant.probe in (ProbeKind.READ, ProbeKind.REFUSED)]
NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    yield open_shop(simulator, "999001")
    simulator.control("DELETE", "/faults")


async def probe_all(shop: Shop, *, key_age: timedelta = timedelta(days=1)) -> dict[str, PreflightRow]:
    access = IchibaAccess(open_shop_session(shop, key_age=key_age).session)
    return {grant_id: await access.probe(grant_id) for grant_id in PROBED}


async def test_every_function_of_a_good_key_is_granted_and_nothing_changes(shop: Shop) -> None:
    shop.control("POST", "/orders", {"count": 3})
    before = shop.simulator.control("GET", "/digest")["digest"]
    rows = await probe_all(shop)
    assert {row.state for row in rows.values()} == {GrantState.GRANTED}
    assert shop.simulator.control("GET", "/digest")["digest"] == before


async def test_each_probe_is_one_request_in_the_group_of_its_grant(shop: Shop) -> None:
    for grant in plugin.grants:
        opened = open_shop_session(shop)
        await IchibaAccess(opened.session).probe(grant.id)
        assert opened.pacer.groups == ([] if grant.probe is ProbeKind.SMTP else [(grant.group,)])
        assert grant.group in plugin.limits.groups


OFF = (
    "rpay.order.cancelOrder",
    "rpay.purchaseItem.getOrderItem",
    "license.expiryDate",
    "shop.signboard",
    "items.delete",
    "inventories.bulk.upsert",
    "navigation.genres.get",
    "categories.category-trees.upsert",
    "cabinet.file.insert",
)


async def test_functions_that_are_off_deny_exactly_their_rows_in_every_family(shop: Shop) -> None:
    """Each function by itself is switched by the suite of rule 4."""
    shop.control("PUT", "/grants", dict.fromkeys(OFF, False))
    rows = await probe_all(shop)
    assert {row.grant_id for row in rows.values() if row.state is GrantState.DENIED} == set(OFF)
    assert {row.grant_id for row in rows.values() if row.state is GrantState.GRANTED} == set(PROBED) - set(OFF)
    assert {row.refusal.code for row in rows.values() if row.refusal is not None} == {"ES04-01"}


async def test_a_young_key_is_pending_until_it_may_have_settled(shop: Shop) -> None:
    made = shop.control("POST", "/keys/issue", {"active_after_seconds": 900})
    renewed = Shop(
        simulator=shop.simulator, id=shop.id, service_secret=made["service_secret"], license_key=made["license_key"]
    )
    rows = await probe_all(renewed, key_age=timedelta(minutes=5))
    assert {row.state for row in rows.values()} == {GrantState.PENDING}
    for row in rows.values():
        assert row.retry_at is not None
        assert timedelta(minutes=24) < row.retry_at - row.checked_at <= timedelta(minutes=25)


@pytest.mark.parametrize("action", ["expire", "revoke"])
async def test_a_dead_key_is_denied_everywhere(shop: Shop, action: str) -> None:
    shop.control("POST", f"/keys/{action}")
    rows = await probe_all(shop, key_age=timedelta(minutes=1))
    assert {row.state for row in rows.values()} == {GrantState.DENIED}
    # R-Cabinet speaks for itself.
    codes = {grant_id: row.refusal.code for grant_id, row in rows.items() if row.refusal is not None}
    assert codes == {one: "AuthError" if one.startswith("cabinet.") else "GA0001" for one in PROBED}


async def test_a_blank_key_is_denied_without_a_request() -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    access = IchibaAccess(open_session(http, {}).session)
    assert {(await access.probe(grant_id)).state for grant_id in PROBED} == {GrantState.DENIED}
    assert http.sent == []


async def test_the_older_gateway_is_understood() -> None:
    access = IchibaAccess(open_session(CannedHttp(lambda _: answered(OLDER_UNAUTHORISED, 401))).session)
    row = await access.probe(PROBED[0])
    assert row.state is GrantState.DENIED
    assert row.refusal is not None
    assert row.refusal.code == "ES01-01"


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "throttle"}, {"kind": "reset-before"}, {"kind": "html"}],
)
async def test_an_outage_says_nothing_of_any_grant_and_is_not_asked_again(shop: Shop, fault: dict[str, Any]) -> None:
    shop.simulator.control("POST", "/faults", {**fault, "match": {"path": "/es/"}})
    for grant_id in PROBED:
        opened = open_shop_session(shop)
        with pytest.raises(Retryable):
            await IchibaAccess(opened.session).probe(grant_id)
        assert len(opened.pacer.groups) == 1


async def test_a_write_that_is_not_refused_is_not_taken_for_a_grant() -> None:
    said = b'{"MessageModelList":[{"messageType":"INFO","messageCode":"X","message":"x"}]}'
    cabinet = b"<result><status><systemStatus>OK</systemStatus></status><x><resultCode>0</resultCode></x></result>"
    answers = {Family.ORDER: answered(said), Family.CABINET: answered(cabinet), Family.ITEMS: answered(b"", 204)}
    for function in FUNCTIONS:
        if function.is_write:
            http = CannedHttp(lambda _, family=function.family: answers[family])  # type: ignore[misc]
            row = await IchibaAccess(open_session(http).session).probe(function.grant_id)
            assert row.state is GrantState.UNKNOWN, function.grant_id


@pytest.mark.parametrize("function", [one for one in FUNCTIONS if one.is_write], ids=lambda one: one.grant_id)
async def test_a_write_is_asked_without_what_it_requires(function: Function) -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    with pytest.raises(ContractBroken):
        await IchibaAccess(open_session(http).session).probe(function.grant_id)
    (request,) = http.sent
    assert (request.method, request.has_effect) == (function.method, False)
    match function.family:
        case Family.ORDER:
            assert request.body == b"{}"
        case Family.CABINET:
            # No file, no folder, no name.
            assert re.fullmatch(rb"<\?xml[^>]*\?><request><\w+/></request>", request.body)
        case _ if function.method == "DELETE" or "manage_number" in function.path:
            # Whatever the body says: there can be no item of that number.
            assert len(request.path.split("/manage-numbers/")[1].split("/")[0]) > 32
        case _ if "category_set_id" in function.path:
            # An empty body would delete the tree of a set that exists; this one cannot.
            assert not request.path.rpartition("/")[2].isdecimal()
            assert json.loads(request.body) == {"children": [{}]}
        case _:
            assert request.body == b"{}"


@pytest.mark.parametrize("grant_id", PROBED)
async def test_an_answer_that_says_nothing_is_not_taken_for_a_grant(grant_id: str) -> None:
    access = IchibaAccess(open_session(CannedHttp(lambda _: answered(b"{}"))).session)
    with pytest.raises(ContractBroken):
        await access.probe(grant_id)


async def test_the_mail_relay_is_somebody_elses_and_an_unknown_grant_our_bug() -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    access = IchibaAccess(open_session(http).session)
    assert (await access.probe("mail_relay")).state is GrantState.UNKNOWN
    with pytest.raises(ValueError, match="no grant"):
        await access.probe("rpay.order.nothing")
    assert http.sent == []


async def test_the_end_of_the_key_is_read_as_japans_time(shop: Shop) -> None:
    shop.control("POST", "/keys/set", {"expires_at": "2027-11-28T14:59:59Z"})
    (expiry,) = await IchibaAccess(open_shop_session(shop).session).key_expiries()
    assert (expiry.field, expiry.source) == ("license_key", ExpirySource.READ)
    assert expiry.expires is not None
    assert expiry.expires.at == datetime(2027, 11, 28, 14, 59, 59, tzinfo=UTC)
    assert expiry.expires.local == "2027-11-28T23:59:59"


async def test_a_typed_end_helps_out_where_the_look_up_is_not_permitted(shop: Shop) -> None:
    shop.control("PUT", "/grants/license.expiryDate", {"enabled": False})
    with pytest.raises(NeedsSeller):
        await IchibaAccess(open_shop_session(shop).session).key_expiries()
    opened = open_shop_session(shop, values={"license_expires_on": "2027-11-28"})
    (expiry,) = await IchibaAccess(opened.session).key_expiries()
    assert expiry.source is ExpirySource.TYPED
    assert expiry.expires is not None
    assert expiry.expires.at == datetime(2027, 11, 28, 14, 59, 59, tzinfo=UTC)


async def test_a_dead_key_has_no_end_to_look_up_even_where_one_was_typed(shop: Shop) -> None:
    shop.control("POST", "/keys/revoke")
    opened = open_shop_session(shop, values={"license_expires_on": "2027-11-28"})
    with pytest.raises(NeedsSeller) as caught:
        await IchibaAccess(opened.session).key_expiries()
    assert caught.value.code == "credential-refused"
    assert shop.license_key not in repr(caught.value) + str(caught.value)


async def test_the_end_of_the_key_is_asked_again_after_a_short_outage(shop: Shop) -> None:
    shop.simulator.control("POST", "/faults", {"kind": "status", "status": 503, "count": 2, "match": {"path": "/es/"}})
    opened = open_shop_session(shop)
    (expiry,) = await IchibaAccess(opened.session).key_expiries()
    assert (expiry.source, len(opened.pacer.groups)) == (ExpirySource.READ, 3)


@pytest.mark.parametrize("body", [b"{}", b'{"expiryDate":null}', b'{"expiryDate":"soon"}', b'{"expiryDate":{}}'])
async def test_an_end_that_is_no_date_breaks_the_contract(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        await IchibaAccess(open_session(CannedHttp(lambda _: answered(body))).session).key_expiries()


async def test_a_settling_key_is_told_by_the_look_up_too() -> None:
    http = CannedHttp(lambda _: answered(NOT_ENABLED, 400))
    access = IchibaAccess(open_session(http, now=NOW, key_age=timedelta(minutes=1)).session)
    with pytest.raises(Retryable) as caught:
        await access.key_expiries()
    assert caught.value.code == "key-settling"


async def test_keys_are_not_minted() -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    access = IchibaAccess(open_session(http).session)
    with pytest.raises(Unsupported) as caught:
        await access.renew()
    assert caught.value.menu is not None
    assert http.sent == []


def test_every_supported_capability_names_grants_that_are_probed() -> None:
    supported = {name: one for name, one in plugin.capabilities.items() if isinstance(one, Supported)}
    assert {grant_id for one in supported.values() for grant_id in one.grant_ids} <= set(PROBED)
    # Files are handed over by people, and notices come by themselves: no function is called for them.
    assert {name for name, one in supported.items() if not one.grant_ids} == {
        Capability.IMPORT_ORDERS,
        Capability.NOTICES,
    }
    assert isinstance(plugin.capabilities[Capability.ACCEPT], Supported)
