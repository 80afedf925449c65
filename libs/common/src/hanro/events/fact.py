"""Says what every fact has in common, and which facts exist.

It restates the whole aggregate, without names, addresses, mails, phone numbers, secrets or buyers' text. Consumers act
on the state that it restates, by `version`, so a fact may come twice, late, or after a newer one.
"""

from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Part(BaseModel):
    """Be a part of a fact: frozen; what a newer schema added is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Fact(Part):
    """Be what happened to one aggregate; `type` and `topic` belong to the class, the rest to the occurrence."""

    type: ClassVar[str] = ""
    topic: ClassVar[str] = ""

    id: str = Field(min_length=1, max_length=200)
    """Id of the aggregate; the key of its partition and the subject of the event."""
    version: int = Field(ge=1)
    """Raised by exactly one with each fact of the aggregate."""
    at: AwareDatetime
    """When it became true, UTC."""
    account_id: str | None = None
    """The seller's account that it concerns; None where it concerns none (stock)."""
    account_epoch: int | None = Field(default=None, ge=0)
    """Grows with each unlink of the account; gates effects that write outward, never the state of an order."""


def registered() -> tuple[type[Fact], ...]:
    """Give every fact class, sorted by type; the source of schemas, AsyncAPI and the list of topics."""
    from hanro.events import access, accounts, listings, messages, orders, stock  # noqa: PLC0415  the owners import this module

    facts = [
        found
        for module in (access, accounts, listings, messages, orders, stock)
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Fact) and found.type
    ]
    return tuple(sorted(facts, key=lambda fact: fact.type))


def topics() -> tuple[str, ...]:
    """Give the topics that the registered facts are published to, sorted, without any prefix."""
    return tuple(sorted({fact.topic for fact in registered()}))
