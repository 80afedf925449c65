"""Checks rule 27: nothing that a plug-in shows of its work holds a secret or a buyer."""

# ruff: noqa: S101, D102, PLR2004  a suite of tests: it asserts, its names are sentences, its values stand there

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from urllib.parse import quote

from hanro.ids import new_id
from hanro.testing.conformance.caller import Errand, Leg, run
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.rig import FAST

BUYER = "カナリア鳥子"
SHOWS_WORK = ("http.answered", "http.failed", '"name": "', "hanro_log_dropped_keys", "Traceback")
AROUND = 60


def traces_of(values: Mapping[str, str]) -> list[str]:
    """Give every form in which a secret could show: as it is, in a URL, in Base64 alone or joined with another."""
    found = []
    for text in [*values.values(), *(f"{one}:{other}" for one, other in permutations(values.values(), 2))]:
        encoded = base64.b64encode(text.encode()).decode()
        # Inside a longer text Base64 falls differently: its middle is looked for at each of three places.
        shifted = [base64.b64encode(b"x" * pad + text.encode()).decode()[4:-4] for pad in (1, 2)]
        found += [text, quote(text, safe=""), encoded, *shifted]
    return [one for one in found if len(one) >= 8]


@dataclass(frozen=True)
class Traveller:
    """Be a shop on the tour, what ails it, and what must not be seen of it."""

    trouble: str
    leg: Leg
    canaries: Sequence[str]

    def hits(self, shown: str) -> list[str]:
        """Give each of its canaries that was shown, with what stands around it."""
        places = {canary: shown.find(canary) for canary in self.canaries}
        return [
            f"{self.trouble}: {canary} in {shown[max(0, place - AROUND) : place + AROUND]}"
            for canary, place in places.items()
            if place >= 0
        ]


def _traveller(market: Market, trouble: str) -> Traveller:
    shop = market.open_shop()
    numbers = shop.place(2, text=BUYER + trouble)
    if trouble == "unreadable":
        numbers += shop.place(1, text=BUYER + trouble, spoilt="unreadable")
    values = shop.wrong_secrets() if trouble == "key" else shop.secrets()
    canaries = (*traces_of(values), BUYER + trouble, *shop.canaries(numbers[0]))
    _ail(shop, trouble, numbers[0])
    carrier, parcels = next(iter(market.tracking_numbers.items()))
    leg = Leg(
        secrets=values,
        account_id=new_id("acc"),
        numbers=numbers,
        parcel=(carrier, parcels.good[0]),
        comment=BUYER + trouble,
        is_careless=trouble == "careless",
    )
    return Traveller(trouble=trouble, leg=leg, canaries=canaries)


def _ail(shop: Shop, trouble: str, number: str) -> None:
    """Let the marketplace say back what it was sent, as an error of theirs and as a page, or cut its answers."""
    secrets = " ".join([*shop.secrets().values(), *shop.sent_secrets()])
    gateway, function = shop.refusal_bodies(secrets)
    page = f"<html>{secrets}{BUYER}{trouble}{''.join(shop.canaries(number))}</html>"
    faults: Mapping[str, tuple[str, Mapping[str, object]]] = {
        "gateway": ("status", {"status": 400, "body": gateway}),
        "function": ("status", {"status": 400, "body": function}),
        "function with 200": ("status", {"status": 200, "body": function}),
        "page": ("status", {"status": 200, "body": page}),
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
        troubles = ("none", "key", "unreadable", "gateway", "function", "function with 200", "page", "cut")
        travellers = [_traveller(market, trouble) for trouble in troubles]
        careless = _traveller(market, "careless")
        shown = await run(
            Errand(
                work="tour",
                marketplace_id=market.plugin.id,
                base_url=market.base_url,
                database_url=database_url,
                factor=FAST,
                legs=[one.leg for one in (*travellers, careless)],
            )
        )
        market.open_shop().controls.heal()
        # What shows nothing at all would pass as well, and so would a search that finds nothing.
        assert [sign for sign in SHOWS_WORK if sign not in shown] == []
        told = " ".join(careless.hits(shown))
        assert all(text in told for text in (*careless.leg.secrets.values(), BUYER))
        assert [hit for one in travellers for hit in one.hits(shown)] == []

    async def test_a_secret_that_is_shown_is_found_in_every_form(self, market: Market) -> None:
        values = market.open_shop().secrets()
        pair = ":".join(list(values.values())[:2])
        for shown in (*values.values(), base64.b64encode(pair.encode()).decode(), quote(next(iter(values.values())))):
            if len(shown) >= 8:
                assert any(canary in f"…{shown}…" for canary in traces_of(values))
