"""Decides whether typed credentials are well formed, by the plug-in's form; nothing typed is ever repeated."""

import re
from collections.abc import Mapping
from datetime import date

from hanro.errors import MenuPath
from hanro.marketplace import Fault, check_fields
from hanro.marketplace.types import CredentialForm, FormField, Registration, Supplier


def find_registration(form: CredentialForm, registration_id: str | None) -> Registration | None:
    """Give the way to register that was named, the first where none was, None where there is no such."""
    if registration_id is None:
        return form.registrations[0]
    return next((one for one in form.registrations if one.id == registration_id), None)


def first_place(form: CredentialForm) -> MenuPath | None:
    """Give where the first value stands that a seller must type; None: the form does not say."""
    registration = form.registrations[0]
    return next((field.where for field in typed_fields(form, registration) if field.is_required and field.where), None)


def typed_fields(form: CredentialForm, registration: Registration) -> tuple[FormField, ...]:
    """Give the fields that a registration asks of the seller, in the form's order."""
    return tuple(field for field in form.fields if field.name in registration.field_names)


def check(
    form: CredentialForm, registration: Registration, values: Mapping[str, str], today: date
) -> tuple[Fault, ...]:
    """Find what is wrong, at most one fault a field, in the form's order; empty: well formed.

    What is refused: `hanro.marketplace.check_fields`.
    """
    return check_fields(typed_fields(form, registration), values, today)


def keep_typed(form: CredentialForm, registration: Registration, values: Mapping[str, str]) -> dict[str, str]:
    """Give what is stored: fields that were filled, and the defaults of those that were not."""
    filled = {field.name: values.get(field.name) or field.default for field in typed_fields(form, registration)}
    return {name: value for name, value in filled.items() if value}


def lacking(form: CredentialForm, registration: Registration, installation: Mapping[str, str]) -> tuple[str, ...]:
    """Name the fields that a call needs, the seller is not asked for, and the installation does not supply."""
    return tuple(
        field.name
        for field in form.fields
        if field.is_required
        and field.default is None
        and field.supplier is not Supplier.DERIVED
        and field.name not in registration.field_names
        and not installation.get(field.name)
    )


def complete(
    form: CredentialForm, registration_id: str, stored: Mapping[str, str], installation: Mapping[str, str]
) -> dict[str, str]:
    """Give what a call needs: what the seller typed, and of the installation's values what was not asked of him."""
    registration = find_registration(form, registration_id)
    asked = frozenset(registration.field_names if registration else ())
    supplied = {
        field.name: installation[field.name]
        for field in form.fields
        if field.name not in asked and field.name in installation
    }
    return supplied | dict(stored)


def shop_key_of(form: CredentialForm, values: Mapping[str, str]) -> str | None:
    """Give the marketplace's number of the shop that typed credentials belong to; None: they do not tell."""
    for key in form.shop_keys:
        found = re.fullmatch(key.pattern, values.get(key.field, ""))
        if found is not None:
            return str(found["shop"])
    return None
