"""Checks rule 27: nothing that a plug-in shows of its work holds a secret or a buyer."""

# ruff: noqa: S101, D102, PLR2004  a suite of tests: it asserts, its names are sentences, its values stand there

import asyncio
import base64
from collections.abc import Mapping
from urllib.parse import quote

from hanro.ids import new_id
from hanro.testing.conformance.caller import Errand
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.pace import run
from hanro.testing.conformance.rig import FAST

BUYER = "カナリア鳥子"
SHOWS_WORK = ("http.", '"name": "', "hanro_log_dropped_keys")


def traces_of(values: Mapping[str, str]) -> list[str]:
    """Give every form in which a secret could show: as it is, in a URL, in Base64 alone or joined with another."""
    found = []
    for text in [*values.values(), ":".join(values.values())]:
        encoded = base64.b64encode(text.encode()).decode()
        # Inside a longer text Base64 falls differently: its middle is looked for at each of three places.
        shifted = [base64.b64encode(b"x" * pad + text.encode()).decode()[4:-4] for pad in (1, 2)]
        found += [text, quote(text, safe=""), encoded, *shifted]
    return [one for one in found if len(one) >= 8]


async def tour(market: Market, database_url: str, numbers: list[str], values: Mapping[str, str]) -> str:
    """Call every method in a process of its own and give all that it printed."""
    return await run(
        Errand(
            work="tour",
            marketplace_id=market.plugin.id,
            base_url=market.base_url,
            database_url=database_url,
            secrets=values,
            account_id=new_id("acc"),
            factor=FAST,
            numbers=numbers,
        )
    )


def _fault(shop: Shop, trouble: str, number: str) -> None:
    """Let the marketplace say back what it was sent, as an error of theirs and as a page, or cut its answers."""
    secrets = "".join(shop.secrets().values())
    echoed = "".join([secrets, BUYER, *shop.canaries(number)])
    faults: Mapping[str, tuple[str, Mapping[str, object]]] = {
        "echo": ("status", {"status": 400, "body": shop.refusal_body(secrets)}),
        "html": ("status", {"status": 200, "body": f"<html>{echoed}</html>"}),
        "cut": ("cut-body", {}),
    }
    if trouble in faults:
        kind, fields = faults[trouble]
        shop.controls.fault(kind, fields)


class Secrecy:
    """Rule 27."""

    async def test_canaries_are_in_no_log_error_repr_refusal_plan_trace_or_metric(
        self, market: Market, database_url: str
    ) -> None:
        async def hits(trouble: str) -> list[str]:
            shop = market.open_shop()
            numbers = shop.place(2, text=BUYER)
            if trouble == "unreadable":
                numbers += shop.place(1, text=BUYER, spoilt="unreadable")
            values = shop.wrong_secrets() if trouble == "key" else shop.secrets()
            canaries = (*traces_of(values), BUYER, *shop.canaries(numbers[0]))
            _fault(shop, trouble, numbers[0])
            shown = await tour(market, database_url, numbers, values)
            # What shows nothing at all would pass as well.
            assert all(sign in shown for sign in SHOWS_WORK), trouble
            return [f"{trouble}: {canary}" for canary in canaries if canary in shown]

        troubles = ("none", "key", "echo", "unreadable", "html", "cut")
        found = await asyncio.gather(*(hits(trouble) for trouble in troubles))
        market.open_shop().controls.heal()
        assert [hit for one in found for hit in one] == []

    async def test_a_secret_that_is_shown_is_found(self, market: Market) -> None:
        values = market.open_shop().secrets()
        pair = ":".join(values.values())
        for shown in (*values.values(), base64.b64encode(pair.encode()).decode(), quote(next(iter(values.values())))):
            assert any(canary in f"…{shown}…" for canary in traces_of(values))
