"""Checks what a plug-in declares: rule 1, rule 3 and the ledger of rule 28."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import inspect
import subprocess
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from importlib.metadata import entry_points

import pytest

from hanro.errors import LocalizedText, Unsupported
from hanro.marketplace import installed
from hanro.marketplace.port import Plugin, Session
from hanro.marketplace.types import Absent, Answer, Capability, DelayReason, LinePart, Supported, Trigger, Window
from hanro.money import Money
from hanro.testing.conformance.asked import cancellation, decision, shipment
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import open_rig
from hanro.testing.conformance.values import walk

# Runs in a process of its own: what an import opens, connects or asks of the environment is told by its own frames.
_IMPORT = """
import os, sys
name, package = sys.argv[1], sys.argv[2]
import hanro.marketplace.types, hanro.marketplace.port, hanro.errors
found = []
def frames():
    frame = sys._getframe(2)
    while frame is not None:
        yield frame.f_globals.get("__name__", "")
        frame = frame.f_back
def hook(event, args):
    if event.startswith(("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.system")):
        found.append(event)
    elif event == "open" and isinstance(args[0], str) and not args[0].endswith((".py", ".pyc")):
        # A time zone is the interpreter's data.
        if "zoneinfo" not in args[0] and any(one.startswith(package) for one in list(frames())[:2]):
            found.append(f"open {args[0]}")
class Environment(dict):
    def __getitem__(self, key):
        if any(one.startswith(package) for one in list(frames())[:3]):
            found.append(f"environment {key}")
        return super().__getitem__(key)
    def get(self, key, default=None):
        return self[key] if key in self else default
sys.addaudithook(hook)
os.environ = Environment(os.environ)
__import__(name)
print(found)
"""


class Declared:
    """Rule 1: a plug-in is what it says, and importing it does nothing."""

    def test_id_folder_entry_point_and_package_are_one_word(self, market: Market) -> None:
        (point,) = [one for one in entry_points(group="hanro.marketplaces") if one.name == market.plugin.id]
        assert market.folder.name == market.plugin.id
        assert point.value == f"hanro_{market.plugin.id}.plugin:plugin"
        assert (market.folder / "src" / f"hanro_{market.plugin.id}" / "__init__.py").stat().st_size < 200  # noqa: PLR2004  a docstring
        assert installed()[market.plugin.id] is market.plugin

    def test_importing_opens_nothing_and_asks_the_environment_nothing(self, market: Market) -> None:
        package = f"hanro_{market.plugin.id}"
        done = subprocess.run(  # noqa: S603  our own interpreter
            [sys.executable, "-c", _IMPORT, f"{package}.plugin", package],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert done.stdout.strip() == "[]"

    def test_every_attribute_and_door_of_the_port_is_there(self, market: Market) -> None:
        doors = [name for name, _ in inspect.getmembers(Plugin, inspect.isfunction) if not name.startswith("_")]
        for name in [*Plugin.__annotations__, *doors]:
            assert hasattr(market.plugin, name), name
        assert market.plugin.port == 1

    def test_every_text_speaks_both_languages_and_every_fact_has_a_source(self, market: Market) -> None:
        declared = [getattr(market.plugin, name) for name in Plugin.__annotations__]
        for found in walk(declared):
            if isinstance(found, LocalizedText):
                assert found.ja.strip(), found
                assert found.en.strip(), found
            if hasattr(found, "source") and not isinstance(found, type):
                assert str(found.source).strip(), found

    def test_limits_and_grants_fit_each_other(self, market: Market) -> None:
        limits = market.plugin.limits
        assert {grant.group for grant in market.plugin.grants} <= set(limits.groups)
        for batch in limits.batches.values():
            assert set(batch.groups) <= set(limits.groups)
        for group in limits.groups.values():
            assert sum(group.shares.values()) == Decimal(1), group.name


def _absent_calls(plugin: Plugin, session: Session) -> dict[Capability, Callable[[], object]]:
    """Give the call that needs each capability; those of the plug-in's data alone are checked without one."""
    access, orders, listings = plugin.access(session), plugin.orders(session), plugin.listings(session)
    stock, messages = plugin.stock(session), plugin.messages(session)
    now = session.clock.now()
    refund = Money(amount=Decimal(1), currency=plugin.currency)
    part = (LinePart(line_id="1", quantity=1),)
    return {
        Capability.RENEW_KEY: access.renew,
        Capability.KEY_EXPIRY: access.key_expiries,
        Capability.MARKET_INFORMATION: access.market_information,
        Capability.NOTICES: lambda: plugin.read_notice(b"", {}, session.secrets),
        Capability.REFUSE_LINE: lambda: orders.decide([decision("1", "1", answer=Answer.REFUSE)]),
        Capability.ANNOUNCE_DELAY: lambda: orders.decide([decision("1", "1", delay=DelayReason.OTHER)]),
        Capability.ANSWER_CANCELLATION: lambda: orders.decide([decision("1", "1", claim_id="1")]),
        Capability.SHIP: lambda: orders.ship([shipment()]),
        Capability.CORRECT_SHIPMENT: lambda: orders.ship([shipment(replaces="1")]),
        Capability.CANCEL_ORDER: lambda: orders.cancel([cancellation()]),
        Capability.CANCEL_LINE: lambda: orders.cancel([cancellation(is_whole=False)]),
        Capability.CANCEL_SHIPPED: lambda: orders.cancel([cancellation(is_shipped=True)]),
        Capability.REFUND_AMOUNT: lambda: orders.cancel([cancellation(is_whole=False, refund=refund)]),
        Capability.SHIP_LINE: lambda: orders.ship([shipment(lines=part)]),
        Capability.PUBLISH: lambda: listings.put(()),
        Capability.UPLOAD_IMAGES: lambda: listings.upload(()),
        Capability.READ_LISTINGS: lambda: _first(listings.pages),
        Capability.READ_ATTRIBUTES: lambda: listings.categories(None),
        Capability.SET_STOCK: lambda: stock.put(()),
        Capability.READ_STOCK: lambda: _first(lambda: stock.read(())),
        Capability.READ_INQUIRIES: lambda: _first(lambda: messages.inquiries(Window(start=now, end=now))),
    }


def _first(pages: Callable[[], object]) -> object:
    """Ask an iterator for its first page, where calling it does not refuse already."""
    return anext(pages())  # type: ignore[call-overload]


async def _carry_out(call: Callable[[], object]) -> None:
    found = call()
    if isinstance(found, Awaitable):
        await found


class Capabilities:
    """Rule 3: what is absent says so before any request, what is supported names grants that exist."""

    def test_every_capability_is_declared_and_supported_ones_name_known_grants(self, market: Market) -> None:
        known = {grant.id for grant in market.plugin.grants}
        assert set(market.plugin.capabilities) == set(Capability)
        for capability, support in market.plugin.capabilities.items():
            if isinstance(support, Supported):
                assert support.grant_ids <= known, capability
            else:
                assert support.reason.ja, capability
                assert support.instead is None or support.instead in Capability
        assert set(market.plugin.channels) == set(Trigger)

    async def test_what_is_absent_is_refused_with_its_reason_and_path_before_any_request(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        before = shop.controls.sequence()
        checked = 0
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            session = rig.session(shop.secrets())
            for capability, call in _absent_calls(market.plugin, session).items():
                support = market.plugin.capabilities[capability]
                if not isinstance(support, Absent):
                    continue
                with pytest.raises(Unsupported) as refused:
                    await _carry_out(call)
                reasons = {
                    (one.reason, one.menu) for one in market.plugin.capabilities.values() if isinstance(one, Absent)
                }
                assert refused.value.code == "absent"
                assert (refused.value.remedy, refused.value.menu) in reasons, capability
                checked += 1
        assert shop.controls.requests(before) == []
        assert checked == sum(
            isinstance(market.plugin.capabilities[one], Absent) for one in _absent_calls(market.plugin, session)
        )

    def test_files_exist_only_where_they_are_declared(self, market: Market) -> None:
        pairs = (
            (Capability.IMPORT_ORDERS, market.plugin.order_layouts),
            (Capability.EXPORT_LISTINGS, market.plugin.listing_layouts),
        )
        for capability, layouts in pairs:
            assert bool(layouts) == isinstance(market.plugin.capabilities[capability], Supported), capability
