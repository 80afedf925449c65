"""Says what an account's switches look like, set and shown."""

from dataclasses import asdict, replace

from pydantic import Field, StrictBool, field_validator

from account_svc.domain.accounts import Switches
from hanro.web.shapes import Body, Shown


class SwitchesBody(Body):
    """Say which work is done for an account: all of it."""

    orders: StrictBool = Field(examples=[True])
    """Orders are looked for and accepted. Off: nothing is asked about them; acceptances wait until it is on again."""
    stock: StrictBool = Field(examples=[True])
    """Stock is sent."""
    listings: StrictBool = Field(examples=[True])
    """Listings are sent."""
    messages: StrictBool = Field(examples=[False])
    """Buyers are written to. Off: what they would have been told is kept as suppressed, and never sent later."""
    is_observing: StrictBool = Field(examples=[True])
    """Everything that is on is read; nothing is written at the marketplace and no mail leaves. What would have gone is
    kept with its plan, and never sent later."""

    def apply(self, _before: Switches) -> Switches:
        """Give the switches as they are asked for."""
        return Switches(**self.model_dump())


class SwitchesPatch(Body):
    """Switch some of an account's work; what is left out stays as it is."""

    orders: StrictBool | None = Field(default=None, examples=[True])
    """Orders are looked for and accepted."""
    stock: StrictBool | None = Field(default=None, examples=[True])
    """Stock is sent."""
    listings: StrictBool | None = Field(default=None, examples=[True])
    """Listings are sent."""
    messages: StrictBool | None = Field(default=None, examples=[False])
    """Buyers are written to."""
    is_observing: StrictBool | None = Field(default=None, examples=[True])
    """Everything is read, nothing is written and no mail leaves."""

    @field_validator("*", mode="before")
    @classmethod
    def _is_kept(cls, given: object) -> object:
        if given is None:
            raise ValueError("cannot be erased; leave it out to keep it")
        return given

    def apply(self, before: Switches) -> Switches:
        """Give the switches with what is asked for."""
        return replace(before, **self.model_dump(exclude_unset=True))


class SwitchesShown(Shown):
    """Which work is done for an account."""

    orders: bool
    """Orders are looked for and accepted."""
    stock: bool
    """Stock is sent."""
    listings: bool
    """Listings are sent."""
    messages: bool
    """Buyers are written to."""
    is_observing: bool
    """Everything that is on is read; nothing is written there and no mail leaves."""


def show_switches(switches: Switches) -> SwitchesShown:
    """Show switches."""
    return SwitchesShown(**asdict(switches))
