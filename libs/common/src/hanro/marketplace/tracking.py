"""Holds a carrier and a tracking number against a catalogue: what a marketplace would refuse never leaves."""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from hanro.errors import LocalizedText, Rejected
from hanro.marketplace.types.limits import Carrier, CarrierCatalogue, Tracking

PLACE = "{tracking_number}"
# What people type between the groups of a number: hyphens and dashes of all widths, the long vowel mark, blanks.
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212\u30fc\ufe63\uff0d\uff70]")
# Without a public format a number is at least one word of visible letters and digits.
_ANY_NUMBER = re.compile(r"[!-~]{1,120}")
_ANY_REMEDY = LocalizedText(
    ja="配送会社の一覧から選ぶか、一覧にない場合は「その他」を選んでください。",
    en="choose a carrier of the list, or 'other' where it is not in the list",
)


def track(catalogue: CarrierCatalogue, carrier: str, number: str | None, url: str | None) -> Tracking:
    """Check a carrier, by any of its names, and its number; give what the marketplace is to be told.

    The number loses hyphens and blanks, its letters are half-width capitals; None: the parcel has none. A carrier that
    the marketplace's list lacks goes by the list's word for others. `url` None gives the carrier's page for the number.

    Raises:
        Rejected: carrier-unsupported, number-malformed, url-malformed; with its field.
    """
    found = find_carrier(catalogue, carrier)
    value = None if found is None else found.marketplace_value or catalogue.other_value
    if found is None or value is None:
        raise Rejected(
            "The marketplace's list of carriers does not hold this one.",
            code="carrier-unsupported",
            field="carrier",
            remedy=_ANY_REMEDY,
        )
    checked = None if number is None else _number_of(found, number)
    is_url_required = found.is_url_required or (value == catalogue.other_value and catalogue.is_other_url_required)
    return Tracking(
        carrier_code=found.code,
        marketplace_value=value,
        number=checked,
        url=_url_of(found, checked, url, is_required=is_url_required),
    )


def find_carrier(catalogue: CarrierCatalogue, carrier: str) -> Carrier | None:
    """Find a carrier by code, name, alias or the marketplace's value; letter case, width and blanks do not matter.

    Of several that share a value it is the first.
    """
    wanted = _folded(carrier)
    ways: tuple[Callable[[Carrier], tuple[str, ...]], ...] = (
        lambda one: (one.code,),
        lambda one: (one.names.ja, one.names.en, *one.aliases),
        lambda one: (one.marketplace_value or "",),
    )
    found = (one for names in ways for one in catalogue.carriers if wanted in map(_folded, names(one)))
    return next(found, None) if wanted else None


def normalised(number: str) -> str:
    """Write a number as marketplaces take it: half-width capitals and digits without hyphens and blanks."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", _BETWEEN.sub("", number))).upper()


def _number_of(carrier: Carrier, number: str) -> str:
    found = normalised(number)
    pattern = _ANY_NUMBER if carrier.number_pattern is None else re.compile(carrier.number_pattern)
    if not pattern.fullmatch(found):
        why = f"The number is not of the form that {carrier.names.en} gives to parcels."
        raise Rejected(why, code="number-malformed", field="number", remedy=_remedy(carrier))
    return found


def _remedy(carrier: Carrier) -> LocalizedText:
    return LocalizedText(
        ja=f"送り状の番号と配送会社（{carrier.names.ja}）の組み合わせを確認してください。",
        en=f"compare the number with the waybill, and the carrier ({carrier.names.en}) with the parcel's",
    )


def _url_of(carrier: Carrier, number: str | None, url: str | None, *, is_required: bool) -> str | None:
    if url is None:
        if carrier.tracking_url is not None and number is not None:
            return carrier.tracking_url.replace(PLACE, quote(number, safe=""))
        if not is_required:
            return None
    if url is None or not _is_web_address(url):
        why = "This carrier needs the address of its tracking page, beginning with https:// or http://."
        raise Rejected(why, code="url-malformed", field="url")
    return url


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and url.isascii() and not re.search(r"\s", url)


def _folded(name: str) -> str:
    return re.sub(r"[\s_\-・]", "", unicodedata.normalize("NFKC", name)).casefold()
