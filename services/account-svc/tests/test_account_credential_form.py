"""Typed credentials are refused field by field, and nothing typed is repeated."""

from datetime import date

import pytest
from account_samples import both

from account_svc.domain.credentials import check, complete, find_registration, keep_typed
from hanro.marketplace import installed
from hanro.marketplace.types import (
    CredentialForm,
    FieldKind,
    FormField,
    LengthUnit,
    MarketplaceId,
    Registration,
    TextRule,
)

TODAY = date(2026, 6, 1)
ICHIBA = installed()[MarketplaceId("rakuten_ichiba")]
GOOD = {
    "service_secret": "SP999001_abcdefghij012345",
    "license_key": "SL999001_abcdefghij012345",
    "smtp_id": "1999001",
    "smtp_password": "relay-password",
    "sender_address": "shop999001@example.invalid",
}


def faults(values: dict[str, str], registration_id: str | None = None) -> dict[str, str]:
    registration = find_registration(ICHIBA.credential_form, registration_id)
    assert registration is not None
    return {fault.field: fault.code for fault in check(ICHIBA.credential_form, registration, values, TODAY)}


def test_well_formed_credentials_have_no_faults() -> None:
    assert faults(GOOD) == {}
    assert faults({name: GOOD[name] for name in ("service_secret", "license_key")}) == {}


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("license_key", "", "field-missing"),
        ("license_key", "   ", "field-missing"),
        ("license_key", " SL999001_abcdefghij012345", "field-padded"),
        ("license_key", "SL999001_abcdefghij012345\n", "field-padded"),
        ("license_key", "ＳＬ999001_abcdefghij012345", "field-wrong"),
        ("license_key", "SP999001_abcdefghij012345", "field-wrong"),
        ("service_secret", "SL999001_abcdefghij012345", "field-wrong"),
        ("license_key", "SL999001\u200babcdefghij012345", "field-unreadable"),
        ("license_key", "S" * 200, "field-too-long"),
        ("license_key", "鍵" * 10, "field-full-width"),
        ("license_expires_on", "2026-05-31", "date-passed"),
        ("license_expires_on", "2026-13-01", "field-wrong-kind"),
        ("sender_address", "no-address", "field-malformed"),
        ("sender_address", "abc@shop.rakuten.co.jp", "field-wrong"),
        ("colour", "red", "field-unknown"),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, typed: str, code: str) -> None:
    assert faults(GOOD | {field: typed}) == {field: code}


def test_a_fault_repeats_nothing_that_was_typed() -> None:
    canary = "ｃａｎａｒｙ-5f1b"
    registration = find_registration(ICHIBA.credential_form, None)
    assert registration is not None
    found = check(ICHIBA.credential_form, registration, dict.fromkeys(GOOD, canary), TODAY)
    assert len(found) == len(GOOD)
    assert canary not in repr(found)


def test_each_registration_asks_its_own_fields() -> None:
    ids = [one.id for one in ICHIBA.credential_form.registrations]
    assert ids[0] == "own_application"
    assert "developer_application" in ids
    assert faults(GOOD, "developer_application") == {"service_secret": "field-unknown"}


def test_empty_fields_are_not_stored_and_defaults_are() -> None:
    form = CredentialForm(fields=(field("a"), field("b", default="1")), registrations=())
    registration = Registration(id="own", label=both("own"), field_names=("a", "b"))
    assert keep_typed(form, registration, {"a": "", "b": ""}) == {"b": "1"}


def test_the_installation_supplies_what_the_seller_was_not_asked() -> None:
    stored = {"license_key": "SL1"}
    own = {"service_secret": "SP1", "license_key": "SL-of-the-operator", "colour": "red"}
    assert complete(ICHIBA.credential_form, "developer_application", stored, own) == {
        "service_secret": "SP1",
        "license_key": "SL1",
    }
    assert complete(ICHIBA.credential_form, "own_application", stored, own) == stored


def field(name: str, default: str | None = None) -> FormField:
    rule = TextRule(max_length=None, unit=LengthUnit.CHARACTERS, charset="utf-8")
    return FormField(
        name=name,
        label=both(name),
        kind=FieldKind.TEXT,
        rule=rule,
        help=both("help"),
        is_required=False,
        default=default,
    )
