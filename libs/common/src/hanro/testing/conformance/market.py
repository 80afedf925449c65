"""Says what a plug-in's own tests bring: the plug-in, and shops of its simulator that do what buyers and sellers do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from hanro.marketplace.port import Plugin
from hanro.marketplace.types import NoticeKind, OrderStatus, SeenOrder
from hanro.testing.conformance.controls import Controls

Spoilt = Literal["unreadable", "unknown-status", "wrong-sum"]


@dataclass(frozen=True)
class Golden:
    """Be an answer of the dossier, to the byte, that holds one order, and the file with what it maps to."""

    external_id: str
    body: str
    mapped: Path


@dataclass(frozen=True)
class Numbers:
    """Be tracking numbers that a carrier gives to parcels, as people write them, and such that it never gives."""

    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True)
class OrderFile:
    """Be a file that the marketplace writes, with one order of several rows where the layout allows that.

    `same_as` is the same order as the API shows it, where there is one. `number_column` holds numbers alone. `blank`
    are names of `covers` that this order leaves blank.
    """

    layout: str
    external_id: str
    text: str
    number_column: str
    same_as: SeenOrder | None = None
    blank: frozenset[str] = frozenset()


class Shop(Protocol):
    """Be one seller's shop at the simulated marketplace; orders are named by their external ids."""

    @property
    def controls(self) -> Controls:
        """Give the shared controls for this shop."""

    def secrets(self) -> Mapping[str, str]:
        """Give the values of the credential form with the key that the shop now has."""

    def wrong_secrets(self) -> Mapping[str, str]:
        """Give values of which the key is none of the marketplace's."""

    def sent_secrets(self) -> Sequence[str]:
        """Give the forms in which requests carry the shop's secrets: in a header, in a URL."""

    def end_key(self, how: Literal["expire", "revoke"]) -> None:
        """End the shop's key."""

    def renew_key(self, *, is_settling: bool = False) -> None:
        """Give the shop a key that works; one that `is_settling` is refused for now."""

    def switch(self, *grant_ids: str, is_on: bool) -> None:
        """Switch grants on or off."""

    def place(
        self,
        count: int = 1,
        *,
        status: OrderStatus = OrderStatus.NEW,
        code: str | None = None,
        country: str | None = None,
        placed_at: datetime | None = None,
        every_seconds: float = 0,
        hidden_from: Sequence[str] = (),
        spoilt: Spoilt | None = None,
        text: str | None = None,
        title: str | None = None,
        line_count: int = 1,
        units: int = 1,
    ) -> list[str]:
        """Let buyers order; each line has so many units.

        `code` is one of `Market.codes`, more exact than `status`; `country` is where the goods go. `text` stands in the
        buyer's name, in the address and in the remarks, `title` on each line.
        """

    def place_near_deadline(self) -> list[str]:
        """Place a new order whose acceptance cannot wait much longer."""

    def pass_deadline(self) -> None:
        """Let time pass there until it is too late for what `place_near_deadline` placed; then it is now again."""

    def place_refused(self, count: int) -> list[str]:
        """Place orders that the marketplace will refuse to have accepted, each for itself."""

    def place_varied(self, count: int) -> list[str]:
        """Let buyers order as they like: several lines and destinations, coupons, points, gifts."""

    def answer_with(self, body: str) -> None:
        """Let every read of orders be answered with these bytes."""

    def canaries(self, number: str) -> Sequence[str]:
        """Give the texts of an order that tell of its buyer: names, mail address, telephone, street."""

    def refusal_bodies(self, message: str) -> Sequence[str]:
        """Write the errors in which the marketplace can say something: of its gateway, of its functions."""

    def refuse_whole(self, number: str | None) -> None:
        """Let acceptances of several orders be refused whole once, for one that is named or without a name."""

    def move(self, number: str, status: OrderStatus) -> None:
        """Bring an order to a status."""

    def pass_queue(self) -> None:
        """Let time pass there until all that was queued is carried out; then it is now again."""

    def pass_night(self) -> None:
        """Let time pass there until what was shipped today shows as shipped; then it is now again."""

    def show_one_page_for_ever(self, numbers: Sequence[str]) -> None:
        """Let every search show the same page of many."""

    def refuse_for_rate(self) -> Sequence[tuple[str, Mapping[str, object]]]:
        """Name the faults by which the marketplace says that there were too many calls: kind and fields."""


class Market(Protocol):
    """Be a plug-in beside its running simulator."""

    @property
    def plugin(self) -> Plugin:
        """Give the plug-in, as its entry point loads it."""

    @property
    def folder(self) -> Path:
        """Give the plug-in's folder."""

    @property
    def base_url(self) -> str:
        """Give the simulator's URL."""

    @property
    def codes(self) -> Mapping[str, OrderStatus]:
        """Give the marketplace's own states into which an order can be brought there."""

    @property
    def countries(self) -> Sequence[str]:
        """Give the countries to which orders can go, as an address shows them."""

    @property
    def unknown_number(self) -> str:
        """Give an external id that no order there has, of the form that one could have."""

    @property
    def code_past_deadline(self) -> str:
        """Give the code of a failure by which the plug-in tells that it is too late to accept."""

    @property
    def write_function(self) -> str:
        """Give the function that carries out an acceptance, as the journal names it."""

    @property
    def tracking_numbers(self) -> Mapping[str, Numbers]:
        """Give numbers by Carrier.code, three of each kind or more; a carrier without them is "not public"."""

    @property
    def order_files(self) -> Sequence[OrderFile]:
        """Give a file for each layout of orders."""

    @property
    def ship_functions(self) -> Sequence[str]:
        """Give the functions that register parcels, as the journal names them."""

    @property
    def cancel_functions(self) -> Sequence[str]:
        """Give the functions that cancel orders or parts of them."""

    @property
    def notice_replies(self) -> Mapping[str, bytes]:
        """Give the documented replies to notices: "stored", "failed", "wrong-key", "malformed"."""

    def notice(self, kind: NoticeKind, number: str, key: str) -> bytes:
        """Write a notice of that kind about an order, with a shop's key."""

    def notice_secrets(self, key: str) -> dict[str, str]:
        """Give the values of the credential form that hold the key of notices."""

    def open_shop(self) -> Shop:
        """Open a shop of its own for a test."""

    def goldens(self) -> Sequence[Golden]:
        """Give the dossier's answers with the committed orders."""

    def is_sentinel(self, text: str) -> bool:
        """Tell whether an amount's characters mean that it is not decided."""


def open_alone(market: Market) -> Shop:
    """Open the only shop there is: those of other tests move on by themselves, and the state with them."""
    market.open_shop().controls.reset()
    return market.open_shop()
