"""Decides whether typed credentials are well formed, by the plug-in's form; nothing typed is ever repeated."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hanro.errors import LocalizedText, MenuPath
from hanro.marketplace import length_of
from hanro.marketplace.types import CredentialForm, FieldKind, FormField, Registration, TextRule

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FLAGS = frozenset({"true", "false"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Be what is wrong with one field; `why` holds nothing of what was typed, `where` shows the right value."""

    field: str
    code: str
    why: LocalizedText
    where: MenuPath | None = None


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

    Refused: missing, of another form, padded, full-width, of the wrong kind, too long, a date that has passed.
    """
    fields = typed_fields(form, registration)
    names = {field.name for field in fields}
    known = ", ".join(field.name for field in fields)
    unknown = [
        Fault(
            field=name,
            code="field-unknown",
            why=_text(f"この登録方法にない項目です（{known}）", f"a field is unknown; the form has {known}"),
        )
        for name in sorted(values)
        if name not in names
    ]
    found = [fault for field in fields if (fault := _check_field(field, values.get(field.name, ""), today))]
    return (*found, *unknown)


def keep_typed(form: CredentialForm, registration: Registration, values: Mapping[str, str]) -> dict[str, str]:
    """Give what is stored: fields that were filled, and the defaults of those that were not."""
    filled = {field.name: values.get(field.name) or field.default for field in typed_fields(form, registration)}
    return {name: value for name, value in filled.items() if value}


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
            return found["shop"]
    return None


def _check_field(field: FormField, value: str, today: date) -> Fault | None:
    if not value.strip():
        needed = field.is_required and field.default is None
        return _fault(field, "field-missing", "入力してください", "is required") if needed else None
    if value != value.strip():
        return _fault(field, "field-padded", "前後の空白を取り除いてください", "has blanks before or behind it")
    for pattern, why in field.wrong:
        if re.search(pattern, value):
            return Fault(field=field.name, code="field-wrong", why=_labelled(field, why), where=field.where)
    return _check_text(field, value) or _check_kind(field, value, today)


def _check_text(field: FormField, value: str) -> Fault | None:
    rule = field.rule
    if any(unicodedata.category(letter) in {"Cc", "Cf"} for letter in value) and field.kind is not FieldKind.JSON:
        return _fault(field, "field-unreadable", "制御文字が含まれています", "holds control characters")
    if field.is_secret and any(unicodedata.east_asian_width(letter) in {"F", "W"} for letter in value):
        return _fault(field, "field-full-width", "半角で入力してください", "holds full-width characters")
    if rule.max_length is not None and length_of(value, rule.unit) > rule.max_length:
        return _fault(field, "field-too-long", f"{rule.max_length} 文字までです", f"is longer than {rule.max_length}")
    if not _fits(rule, value):
        return _fault(field, "field-unencodable", "使えない文字があります", "holds characters that cannot be used")
    if rule.pattern is not None and not re.fullmatch(rule.pattern, value):
        return _fault(field, "field-malformed", "形式が正しくありません", "does not have the expected form")
    return None


def _check_kind(field: FormField, value: str, today: date) -> Fault | None:
    match field.kind:
        case FieldKind.EMAIL:
            is_right = _EMAIL.fullmatch(value) is not None
        case FieldKind.NUMBER:
            is_right = _NUMBER.fullmatch(value) is not None
        case FieldKind.FLAG:
            is_right = value in _FLAGS
        case FieldKind.CHOICE:
            is_right = value in {choice for choice, _ in field.choices}
        case FieldKind.DATE:
            found = _date(value)
            if found is not None and found < today:
                return _fault(field, "date-passed", "日付が過ぎています", "lies in the past")
            is_right = found is not None
        case FieldKind.TEXT | FieldKind.PASSWORD | FieldKind.JSON:
            is_right = True
    return None if is_right else _fault(field, "field-wrong-kind", "入力の種類が違います", "is of the wrong kind")


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _fits(rule: TextRule, value: str) -> bool:
    if rule.refused is not None and re.search(rule.refused, value):
        return False
    try:
        value.encode(rule.charset)
    except UnicodeEncodeError:
        return False
    return True


def _fault(field: FormField, code: str, ja: str, en: str) -> Fault:
    return Fault(field=field.name, code=code, why=_labelled(field, _text(ja, en)), where=field.where)


def _labelled(field: FormField, why: LocalizedText) -> LocalizedText:
    return LocalizedText(ja=f"{field.label.ja}: {why.ja}", en=f"{field.label.en}: {why.en}")


def _text(ja: str, en: str) -> LocalizedText:
    return LocalizedText(ja=ja, en=en)
