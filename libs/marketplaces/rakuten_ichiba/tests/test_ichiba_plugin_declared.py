"""What the plug-in declares is complete, in two languages, and never needs the network."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest
from ichiba_session import CannedHttp, answered, open_session

from hanro.errors import LocalizedText, NeedsSeller, Unsupported
from hanro.marketplace import installed
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import (
    Absent,
    Capability,
    Channel,
    FormField,
    ListingRef,
    MarketplaceId,
    MessageRequest,
    OfferRef,
    OrderStatus,
    Trigger,
    Window,
)
from hanro_rakuten_ichiba.plugin import plugin

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
SECRETS = Secrets(
    values={
        "service_secret": "SP999001_canary",
        "license_key": "SL999001_canary",
        "smtp_id": "900001",
        "smtp_password": "canary",
        "sender_address": "shop@example.invalid",
        "masked_address": "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp",
    },
    version=1,
    stored_at=NOW,
)


def texts(node: object) -> Iterator[LocalizedText]:
    if isinstance(node, LocalizedText):
        yield node
    elif is_dataclass(node) and not isinstance(node, type):
        for one in fields(node):
            yield from texts(getattr(node, one.name))
    elif isinstance(node, dict) or hasattr(node, "values"):
        for one in node.values():
            yield from texts(one)
    elif isinstance(node, tuple | frozenset | list):
        for one in node:
            yield from texts(one)


def test_it_is_found_by_its_id_and_keeps_the_port() -> None:
    kept: Plugin = plugin
    assert installed()[MarketplaceId("rakuten_ichiba")] is kept
    assert (plugin.port, plugin.id, plugin.currency, str(plugin.zone)) == (1, "rakuten_ichiba", "JPY", "Asia/Tokyo")


def test_importing_it_loads_no_http_library_and_no_simulator() -> None:
    program = (
        "import sys, hanro_rakuten_ichiba.plugin;"
        "print([m for m in sys.modules if m.split('.')[0] in ('httpx', 'aiohttp', 'fastapi', 'simkit', 'asyncpg')"
        " or 'simulator' in m])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)  # noqa: S603
    assert done.stdout.decode().strip() == "[]"


def test_every_text_is_there_in_japanese_and_english() -> None:
    found = list(texts([getattr(plugin, name) for name in Plugin.__annotations__]))
    assert len(found) > 80
    assert not [text for text in found if not text.ja.strip() or not text.en.strip()]
    assert not [text for text in found if re.search(r"[\u3041-\u30fa]", text.en) and len(text.en) < 8]


def test_every_capability_trigger_and_state_is_declared() -> None:
    assert set(plugin.capabilities) == set(Capability)
    assert set(plugin.channels) == set(Trigger)
    assert {status for route in plugin.routes for status in route.shows} == set(OrderStatus) - {OrderStatus.PENDING}
    assert [code for code in plugin.statuses if code.isdecimal()] == [str(code) for code in range(100, 1000, 100)]
    for support in plugin.capabilities.values():
        assert not isinstance(support, Absent) or support.source


def test_what_is_absent_points_to_something_that_is_declared() -> None:
    for support in plugin.capabilities.values():
        assert not isinstance(support, Absent) or support.instead is None or support.instead in plugin.capabilities


def test_shares_of_a_group_sum_to_one_and_batches_name_groups() -> None:
    for name, group in plugin.limits.groups.items():
        assert group.name == name
        assert sum(group.shares.values()) == Decimal(1)
        assert group.source
    for batch in plugin.limits.batches.values():
        assert set(batch.groups) <= set(plugin.limits.groups)


def test_registrations_and_prerequisites_name_what_exists() -> None:
    names = {field.name for field in plugin.credential_form.fields}
    for registration in plugin.credential_form.registrations:
        assert set(registration.field_names) <= names
    steps, grants = {step.id for step in plugin.guide.steps}, {grant.id for grant in plugin.grants}
    for prerequisite in plugin.guide.prerequisites:
        assert set(prerequisite.step_ids) <= steps
        assert prerequisite.grant_ids <= grants
        assert len(prerequisite.states) > 1


def field(name: str) -> FormField:
    return next(one for one in plugin.credential_form.fields if one.name == name)


def refusals(name: str, text: str) -> list[str]:
    return [why.en for pattern, why in field(name).wrong if re.search(pattern, text)]


@pytest.mark.parametrize(
    ("name", "text"),
    list(product(("service_secret", "license_key", "smtp_id", "smtp_password"), (" SL1", "SL1\n", "ＳＬ１", "S　L"))),
)
def test_padded_and_full_width_keys_are_told_as_such(name: str, text: str) -> None:
    assert refusals(name, text)


def test_keys_in_each_others_place_and_masked_senders_are_told() -> None:
    assert refusals("license_key", "SP999001_0123456789abcdef") == ["this is the serviceSecret"]
    assert refusals("service_secret", "SL999001_0123456789abcdef") == ["this is the licenseKey"]
    assert refusals("sender_address", "abc@shop.rakuten.co.jp") == ["a masked address cannot be used"]
    assert refusals("sender_address", "0123s1@pc.fw.rakuten.ne.jp") == ["a masked address cannot be used"]


def test_good_entries_pass() -> None:
    good = {
        "service_secret": "SP999001_0123456789abcdEF",
        "license_key": "SL999001_0123456789abcdEF",
        "license_expires_on": "2026-11-28",
        "smtp_id": "900001",
        "smtp_password": "p4ssw+rd/=",
        "sender_address": "shop@example.invalid",
        "masked_address": "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp",
        "notice_auth_key": "abc",
    }
    assert set(good) == {one.name for one in plugin.credential_form.fields}
    for name, text in good.items():
        assert refusals(name, text) == []
        pattern = field(name).rule.pattern
        assert pattern is not None
        assert re.fullmatch(pattern, text)


def test_secrets_are_marked_as_such() -> None:
    assert {one.name for one in plugin.credential_form.fields if one.is_secret} == {
        "service_secret",
        "license_key",
        "smtp_password",
        "notice_auth_key",
    }


def test_the_relay_has_the_shops_login_and_shows_nothing_of_it() -> None:
    relay = plugin.mail_relay(SECRETS)
    assert relay is not None
    assert (relay.host, relay.port, relay.username, relay.sender) == (
        "sub.fw.rakuten.ne.jp",
        587,
        "900001",
        "shop@example.invalid",
    )
    assert "canary" not in repr(relay)
    masked = "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"
    assert re.fullmatch(relay.recipients, masked)
    for other in ("a@example.invalid", "a@fw.rakuten.ne.jp", "a b@pc.fw.rakuten.ne.jp", f"{masked}.example.invalid"):
        assert not re.fullmatch(relay.recipients, other)
    assert relay.subject.refused is not None
    assert re.search(relay.subject.refused, "注文\r\nBcc: x")
    assert relay.body.refused is not None
    assert not re.search(relay.body.refused, "①行目\r\n\t二行目")


@pytest.mark.parametrize("name", ["smtp_id", "smtp_password", "sender_address"])
def test_a_relay_without_its_login_needs_the_seller(name: str) -> None:
    values = {key: text for key, text in SECRETS.values.items() if key != name}
    with pytest.raises(NeedsSeller) as caught:
        plugin.mail_relay(Secrets(values=values, version=1, stored_at=NOW))
    assert (caught.value.code, caught.value.field, caught.value.grant_id) == ("option-missing", name, "mail_relay")


def test_mail_carries_every_trigger_but_replies() -> None:
    assert {trigger for trigger, channel in plugin.channels.items() if channel is Channel.RELAY} == set(Trigger) - {
        Trigger.REPLY
    }


async def test_absent_doors_refuse_every_method_without_a_request() -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    session = open_session(http).session
    message = MessageRequest(
        id="msg_1", order=None, line_id=None, trigger=Trigger.MANUAL, subject=None, body="", reply_to=None
    )
    arguments: dict[str, object] = {
        "changes": [], "images": [], "ticket": None, "asked": [], "after": None, "parent_id": None,
        "refs": [ListingRef(seller_key="a")], "category_id": "1", "attribute_id": "1", "text": "", "targets": [],
        "offers": [OfferRef(listing=ListingRef(seller_key="a"))], "request": message, "orders": (),
        "window": Window(start=NOW, end=NOW),
    }  # fmt: skip
    refused = 0
    for door in (plugin.listings(session), plugin.stock(session), plugin.messages(session)):
        methods = [(name, one) for name, one in inspect.getmembers(door, inspect.ismethod) if not name.startswith("_")]
        for name, method in methods:
            given = {key: arguments[key] for key in inspect.signature(method).parameters}
            with pytest.raises(Unsupported) as caught:
                await method(**given)
            assert (caught.value.code, caught.value.remedy is not None) == ("absent", True), name
            refused += 1
    assert refused == 15
    assert http.sent == []
