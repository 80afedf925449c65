"""Reads people of an order: who bought, where the goods go."""

from hanro.marketplace.types import Address, Buyer, PersonName
from hanro_sandbox.fields import Tree, child, optional_child, optional_text, text


def _name(person: Tree) -> PersonName:
    family, given = text(person, "family_name"), text(person, "given_name")
    return PersonName(full=f"{family} {given}".strip(), family=family, given=given, kana=optional_text(person, "kana"))


def address_of(person: Tree) -> Address:
    """Read where a person lives, with name and telephone."""
    found = child(person, "address")
    region, city, street = (text(found, name) for name in ("region", "city", "street"))
    building, postal_code = optional_text(found, "building"), optional_text(found, "postal_code")
    phone = optional_text(person, "phone")
    return Address(
        lines=tuple(line for line in (postal_code, region + city, street, building) if line),
        country=text(found, "country"),
        postal_code=postal_code,
        region=region,
        city=city,
        street=street,
        building=building,
        name=_name(person),
        phones=(phone,) if phone else (),
    )


def buyer_of(buyer: Tree) -> Buyer:
    """Read who bought."""
    phone = optional_text(buyer, "phone")
    return Buyer(
        name=_name(buyer),
        address=None if optional_child(buyer, "address") is None else address_of(buyer),
        email=optional_text(buyer, "email"),
        is_email_masked=False,
        phones=(phone,) if phone else (),
        external_id=optional_text(buyer, "id"),
    )
