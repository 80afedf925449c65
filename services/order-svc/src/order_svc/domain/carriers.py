"""Decides by which carrier a parcel goes: as it is named, as the account's files call it, or the account's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hanro.errors import Rejected
from hanro.marketplace.tracking import find_carrier, track
from hanro.marketplace.types import CarrierCatalogue, Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierChoice:
    """Be what an account says of its carriers: the one that it uses by default, and the names its files have for them.

    `names` give a carrier's code for a text, letter case and outer blanks aside. Version 0: nothing was said.
    """

    version: int = 0
    default_carrier: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


NOTHING_SAID = CarrierChoice()
# What callers name a parcel's parts, by what the catalogue names them.
_FIELDS = {"carrier": "carrier_code", "number": "tracking_number"}


def tracked(
    catalogue: CarrierCatalogue, choice: CarrierChoice, *, carrier: str | None, number: str | None, url: str | None
) -> Tracking:
    """Check a carrier and a number as the marketplace would, before anything goes out; `carrier` None: the account's.

    Raises:
        Rejected: carrier-needed, carrier-unsupported, number-malformed, url-malformed.
    """
    named = carrier if carrier is not None else choice.default_carrier
    if named is None:
        raise Rejected("name the carrier: the account has none by default", code="carrier-needed", field="carrier_code")
    try:
        return track(catalogue, choice.names.get(folded(named), named), number, url)
    except Rejected as refused:
        field_name = _FIELDS.get(refused.field or "", refused.field)
        raise Rejected(
            refused.why, code=refused.code, field=field_name, remedy=refused.remedy, menu=refused.menu
        ) from None


def check_choice(catalogue: CarrierCatalogue, choice: CarrierChoice) -> CarrierChoice:
    """Give a choice with the catalogue's codes and folded names.

    Raises:
        Rejected: a carrier that the catalogue does not hold, or the marketplace does not take (carrier-unsupported).
    """
    names = {folded(name): _code(catalogue, code, "names") for name, code in choice.names.items()}
    default = choice.default_carrier
    return CarrierChoice(
        version=choice.version,
        default_carrier=None if default is None else _code(catalogue, default, "default_carrier"),
        names=names,
    )


def folded(name: str) -> str:
    """Give a name as it is compared."""
    return name.strip().casefold()


def _code(catalogue: CarrierCatalogue, wanted: str, field_name: str) -> str:
    found = find_carrier(catalogue, wanted)
    if found is None or (found.marketplace_value is None and catalogue.other_value is None):
        raise Rejected(
            "the marketplace's list of carriers does not hold this one", code="carrier-unsupported", field=field_name
        )
    return found.code
