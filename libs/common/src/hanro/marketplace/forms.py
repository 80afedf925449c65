"""Decides whether what was typed into a plug-in's form is well formed; nothing typed is ever repeated."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date

from hanro.errors import LocalizedText, MenuPath
from hanro.marketplace.texts import length_of
from hanro.marketplace.types.enums.linking import FieldKind
from hanro.marketplace.types.linking import FormField
from hanro.marketplace.types.plain import TextRule
from hanro.value import value as value_class

Wrong = tuple[tuple[str, LocalizedText], ...]

PADDED: Wrong = (
    (
        r"^\s|\s$",
        LocalizedText(
            ja="前後に空白が入っています。空白を除いてください。", en="there is a blank before or after it; take it out"
        ),
    ),
)
FULL_WIDTH: Wrong = (
    (
        r"[\uff01-\uff5e\u3000]",
        LocalizedText(
            ja="全角の文字が入っています。半角で入力してください。",
            en="it has full-width characters; type half-width ones",
        ),
    ),
)
"""What a screen can tell before it sends: pairs of a pattern and why a text that it finds is wrong."""

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FLAGS = frozenset({"true", "false"})
# Controls, formats (zero-width and direction marks), halves of pairs, line and paragraph separators.
_UNREADABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_WIDE = frozenset({"F", "W"})


@value_class
class Fault:
    """Be what is wrong with one field; `why` holds nothing of what was typed, `where` shows the right value."""

    field: str
    code: str
    why: LocalizedText
    where: MenuPath | None = None


def check_fields(fields: Sequence[FormField], values: Mapping[str, str], today: date) -> tuple[Fault, ...]:
    """Find what is wrong, at most one fault a field, in the form's order, then fields that it lacks.

    Empty: all is well. Refused: missing, blank, padded, full-width, of the wrong kind or form, too long, a date that
    has passed. `today` is the day in the marketplace's zone.
    """
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


def _check_field(field: FormField, value: str, today: date) -> Fault | None:
    if not value.strip():
        if field.is_required and field.default is None:
            return _fault(field, "field-missing", "入力してください", "is required")
        blank = _fault(field, "field-blank", "空白だけが入っています。空欄にしてください", "holds blanks alone")
        return blank if value else None
    if value != value.strip():
        return _fault(field, "field-padded", "前後の空白を取り除いてください", "has blanks before or behind it")
    for pattern, why in field.wrong:
        if re.search(pattern, value):
            return Fault(field=field.name, code="field-wrong", why=_labelled(field, why), where=field.where)
    return _check_text(field, value) or _check_kind(field, value, today)


def _check_text(field: FormField, value: str) -> Fault | None:
    return _check_characters(field, value) or _check_rule(field, value)


def _check_characters(field: FormField, value: str) -> Fault | None:
    if any(unicodedata.category(letter) in _UNREADABLE for letter in value) and field.kind is not FieldKind.JSON:
        return _fault(field, "field-unreadable", "制御文字が含まれています", "holds control characters")
    if _is_half_width(field) and any(unicodedata.east_asian_width(letter) in _WIDE for letter in value):
        return _fault(field, "field-full-width", "半角で入力してください", "holds full-width characters")
    if field.is_secret and any(letter.isspace() for letter in value):
        return _fault(field, "field-blank-inside", "途中に空白があります", "has a blank inside")
    return None


def _check_rule(field: FormField, value: str) -> Fault | None:
    rule = field.rule
    if rule.max_length is not None and length_of(value, rule.unit) > rule.max_length:
        return _fault(field, "field-too-long", f"{rule.max_length} 文字までです", f"is longer than {rule.max_length}")
    if not _fits(rule, value):
        return _fault(field, "field-unencodable", "使えない文字があります", "holds characters that cannot be used")
    if rule.pattern is not None and not re.fullmatch(rule.pattern, value):
        return _fault(field, "field-malformed", "形式が正しくありません", "does not have the expected form")
    return None


def _is_half_width(field: FormField) -> bool:
    """Tell whether wide characters have no place in a field: its keyboard was in the wrong mode."""
    narrow = {FieldKind.EMAIL, FieldKind.DATE, FieldKind.NUMBER, FieldKind.FLAG}
    return field.is_secret or field.kind in narrow or field.rule.charset == "ascii"


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
    if _DATE.fullmatch(value) is None:
        return None
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
