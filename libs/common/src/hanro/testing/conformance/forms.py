"""Checks rule 2: whatever is wrong with a field of the form is told by the field's name, and nothing leaves."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanro.marketplace import check_fields
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import CredentialForm, FieldKind, FormField, Registration, Supplier
from hanro.testing.conformance.market import Market

BLANKS = (" ", "\t", "\n", "\u3000", "\u00a0")
UNREADABLE = ("\x00", "\x07", "\x1b", "\x7f", "\u200b", "\u202e", "\ufeff")
# Each plug-in inherits the suite: one function runs on several objects in one process, each with a market of its own.
INHERITED = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors)
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=INHERITED)


def typed(form: CredentialForm, registration: Registration) -> list[FormField]:
    """Give the fields that a way to register asks for."""
    return [field for field in form.fields if field.name in registration.field_names]


def today(plugin: Plugin) -> date:
    """Give the day at the marketplace."""
    return datetime.now(UTC).astimezone(plugin.zone).date()


def good_values(market: Market, registration: Registration) -> dict[str, str]:
    """Give what a seller with a shop there types."""
    values = market.open_shop().secrets()
    return {name: values[name] for name in registration.field_names if name in values}


def cases(market: Market) -> Iterator[tuple[list[FormField], dict[str, str]]]:
    """Give each way to register with good values."""
    form = market.plugin.credential_form
    for registration in form.registrations:
        yield typed(form, registration), good_values(market, registration)


def faults(plugin: Plugin, fields: list[FormField], values: Mapping[str, str]) -> list[str]:
    """Name the fields that are refused."""
    return [fault.field for fault in check_fields(fields, values, today(plugin))]


class Forms:
    """Rule 2."""

    def test_what_a_seller_of_a_shop_there_types_is_taken(self, market: Market) -> None:
        assert market.plugin.credential_form.registrations
        for fields, values in cases(market):
            assert {field.name for field in fields if field.is_required} <= set(values)
            assert faults(market.plugin, fields, values) == []

    def test_each_required_field_that_is_missing_is_refused_by_name(self, market: Market) -> None:
        for fields, values in cases(market):
            for field in fields:
                if field.is_required and field.default is None:
                    for nothing in ("", " ", "\u3000"):
                        assert faults(market.plugin, fields, values | {field.name: nothing}) == [field.name]

    @QUICK
    @given(data=st.data())
    def test_padded_and_unreadable_values_are_refused_by_name(self, market: Market, data: st.DataObject) -> None:
        for fields, values in cases(market):
            field = data.draw(st.sampled_from([one for one in fields if one.name in values]))
            good = values[field.name]
            blank, control = data.draw(st.sampled_from(BLANKS)), data.draw(st.sampled_from(UNREADABLE))
            place = data.draw(st.integers(1, max(1, len(good) - 1)))
            for wrong in (blank + good, good + blank, good[:place] + control + good[place:]):
                assert faults(market.plugin, fields, values | {field.name: wrong}) == [field.name], repr(wrong)

    @QUICK
    @given(data=st.data())
    def test_full_width_characters_are_refused_by_name(self, market: Market, data: st.DataObject) -> None:
        for fields, values in cases(market):
            narrow = [one for one in fields if one.name in values and (one.is_secret or one.rule.charset == "ascii")]
            field = data.draw(st.sampled_from(narrow))
            good = values[field.name]
            visible = [place for place, letter in enumerate(good) if "!" <= letter <= "~"]
            place = data.draw(st.sampled_from(visible))
            wrong = good[:place] + chr(ord(good[place]) + 0xFEE0) + good[place + 1 :]
            assert faults(market.plugin, fields, values | {field.name: wrong}) == [field.name]

    def test_a_value_of_the_wrong_kind_is_refused_by_name(self, market: Market) -> None:
        day = today(market.plugin)
        wrong = {
            FieldKind.EMAIL: ("nobody", "a@b", "a b@example.invalid"),
            FieldKind.DATE: ("tomorrow", "2026-02-30", "20990101", (day - timedelta(days=1)).isoformat()),
            FieldKind.NUMBER: ("many", "1e3", "１"),
            FieldKind.FLAG: ("yes", "1"),
            FieldKind.CHOICE: ("none of them",),
        }
        for fields, values in cases(market):
            for field in fields:
                for value in wrong.get(field.kind, ()):
                    assert faults(market.plugin, fields, values | {field.name: value}) == [field.name], value

    def test_no_refusal_repeats_what_was_typed(self, market: Market) -> None:
        canary = "ｃａｎａｒｙ5f1b"
        for fields, _values in cases(market):
            found = check_fields(fields, dict.fromkeys([field.name for field in fields], canary), today(market.plugin))
            assert found
            assert canary not in repr(found)

    def test_what_a_machine_mints_is_asked_of_nobody(self, market: Market) -> None:
        form = market.plugin.credential_form
        derived = {field.name for field in form.fields if field.supplier is Supplier.DERIVED}
        for registration in form.registrations:
            assert not derived & set(registration.field_names)
            assert set(registration.field_names) <= {field.name for field in form.fields}
