"""Says what a plug-in's own tests bring: the plug-in, and shops of its simulator that do what buyers and sellers do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from hanro.marketplace.port import Plugin
from hanro.marketplace.types import OrderStatus
from hanro.testing.conformance.controls import Controls

Spoilt = Literal["unreadable", "unknown-status", "wrong-sum"]


@dataclass(frozen=True)
class Golden:
    """Be an answer of the dossier, to the byte, that holds one order, and the file with what it maps to."""

    external_id: str
    body: str
    mapped: Path


class Shop(Protocol):
    """Be one seller's shop at the simulated marketplace; orders are named by their external ids."""

    @property
    def controls(self) -> Controls:
        """Give the shared controls for this shop."""

    def secrets(self) -> Mapping[str, str]:
        """Give the values of the credential form with the key that the shop now has."""

    def wrong_secrets(self) -> Mapping[str, str]:
        """Give values of which the key is none of the marketplace's."""

    def end_key(self, how: Literal["expire", "revoke"]) -> None:
        """End the shop's key."""

    def renew_key(self) -> None:
        """Give the shop a key that works."""

    def switch(self, grant_id: str, *, is_on: bool) -> None:
        """Switch a grant on or off."""

    def place(
        self,
        count: int = 1,
        *,
        status: OrderStatus = OrderStatus.NEW,
        placed_at: datetime | None = None,
        every_seconds: float = 0,
        hidden_from: Sequence[str] = (),
        spoilt: Spoilt | None = None,
        text: str | None = None,
        line_count: int = 1,
    ) -> list[str]:
        """Let buyers order; `text` stands in the buyer's name, in the address and in the remarks."""

    def place_past_deadline(self) -> list[str]:
        """Place an order for whose acceptance it is too late."""

    def place_refused(self, count: int) -> list[str]:
        """Place orders that the marketplace will refuse to have accepted, each for itself."""

    def place_varied(self, count: int) -> list[str]:
        """Let buyers order as they like: several lines and destinations, coupons, points, gifts."""

    def answer_with(self, body: str) -> None:
        """Let every read of orders be answered with these bytes."""

    def canaries(self, number: str) -> Sequence[str]:
        """Give the texts of an order that tell of its buyer: names, mail address, telephone, street."""

    def refusal_body(self, message: str) -> str:
        """Write an error of the marketplace's gateway with that message."""

    def move(self, number: str, status: OrderStatus) -> None:
        """Bring an order to a status."""

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
    def statuses(self) -> Sequence[OrderStatus]:
        """Give the statuses into which an order can be brought there."""

    @property
    def write_function(self) -> str:
        """Give the function that carries out an acceptance, as the journal names it."""

    def open_shop(self) -> Shop:
        """Open a shop of its own for a test."""

    def goldens(self) -> Sequence[Golden]:
        """Give the dossier's answers with the committed orders."""

    def is_sentinel(self, text: str) -> bool:
        """Tell whether an amount's characters mean that it is not decided."""
