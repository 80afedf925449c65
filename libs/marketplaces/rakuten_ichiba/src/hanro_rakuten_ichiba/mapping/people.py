"""Reads buyer, addresses, gift and wishes of an order."""

from datetime import time

from hanro.marketplace.types import Address, AddressKind, Buyer, Gift, PersonName, Wish
from hanro_rakuten_ichiba.mail_relay import MASKED_DOMAIN
from hanro_rakuten_ichiba.mapping.fields import (
    Tree,
    child,
    flag,
    optional_child,
    optional_day,
    optional_text,
    stated,
)

AWAITED_TEXT = "入力待ち"
"""What stands in a social gift's address until the receiver answers. Source: rakuten-ichiba-orders 5.6 [2+]."""
_ABROAD = "国外"
_UNKNOWN_COUNTRY = "ZZ"
_TEXTS = ("prefecture", "city", "subAddress", "familyName", "firstName")
_POSTAL_CODE = ("zipCode1", "zipCode2")
_PHONE = ("phoneNumber1", "phoneNumber2", "phoneNumber3")
_COLD_CHAINS = {"2": "冷蔵", "3": "冷凍"}
_NOON = time(12)
# h1h2: rakuten-ichiba-orders 7.7 [2+].
_MORNING, _AFTERNOON = "1", "2"
_SHORTEST_BAND = 3
_LAST_HOUR, _MIDNIGHT_HOUR = 23, 24


def read_buyer(order: Tree) -> Buyer:
    """Read OrdererModel. Sex and date of birth are left in `raw`: no duty of the shop needs them."""
    orderer = child(order, "OrdererModel")
    email = optional_text(orderer, "emailAddress")
    address = read_address(orderer)
    return Buyer(
        name=address.name,
        address=address,
        email=email or None,
        is_email_masked=(email or "").lower().endswith(MASKED_DOMAIN),
        phones=address.phones,
    )


def read_address(model: Tree, *, pickup: Tree | None = None, is_awaited: bool = False) -> Address:
    """Read the address members that buyer and sender share; AWAITED while a receiver has not answered.

    `pickup` is DeliveryCvsModel. Source: rakuten-ichiba-orders 5.3, 5.6, 5.9.
    """
    parts = stated(model, *_TEXTS)
    prefecture, city, street = parts.get("prefecture", ""), parts.get("city", ""), parts.get("subAddress", "")
    postal_code = "-".join(filter(None, stated(model, *_POSTAL_CODE).values()))
    phone = "-".join(filter(None, stated(model, *_PHONE).values()))
    is_awaited = is_awaited or AWAITED_TEXT in parts.values()
    return Address(
        lines=tuple(filter(None, (postal_code, prefecture + city, street))),
        country=_UNKNOWN_COUNTRY if prefecture == _ABROAD else "JP",
        kind=AddressKind.AWAITED if is_awaited else AddressKind.PLAIN,
        postal_code=postal_code or None,
        region=prefecture or None,
        city=city or None,
        street=street or None,
        name=_read_name(model),
        phones=(phone,) if phone else (),
        pickup=None if pickup is None else _read_pickup(pickup),
        is_remote_island=flag(model, "isolatedIslandFlag"),
    )


def read_gift(order: Tree, social: Tree | None) -> Gift | None:
    """Read whether the order is a gift; `social` is the first SocialGiftModel of its packages. None: it is none."""
    is_wished, is_social = flag(order, "giftCheckFlag"), flag(order, "socialGiftFlag")
    if not is_wished and not is_social and social is None:
        return None
    return Gift(
        is_wished=is_wished,
        management_id=None if social is None else optional_text(social, "sgMngNumber"),
        address_due_on=None if social is None else optional_day(social, "inputDueDate"),
    )


def is_unanswered(social: Tree | None) -> bool:
    """Tell whether a social gift still waits for its receiver's address. Source: rakuten-ichiba-orders 5.10."""
    return social is not None and not flag(social, "inputFlag")


def read_wish(order: Tree) -> Wish:
    """Read day, band, method and cooling; a band that no rule explains keeps its characters alone."""
    delivery = optional_child(order, "DeliveryModel") or {}
    band = optional_text(order, "shippingTerm")
    earliest, latest = _read_band(band or "")
    return Wish(
        day=optional_day(order, "deliveryDate"),
        band_text=None if band in (None, "0") else band,
        earliest=earliest,
        latest=latest,
        method=optional_text(delivery, "deliveryName"),
        cold_chain=_COLD_CHAINS.get(optional_text(delivery, "deliveryClass") or ""),
    )


def _read_name(model: Tree) -> PersonName | None:
    family, given = optional_text(model, "familyName"), optional_text(model, "firstName")
    full = " ".join(filter(None, (family, given)))
    if not full:
        return None
    kana = " ".join(filter(None, (optional_text(model, "familyNameKana"), optional_text(model, "firstNameKana"))))
    return PersonName(full=full, family=family or None, given=given or None, kana=kana or None)


def _read_pickup(model: Tree) -> dict[str, str]:
    """Give shop or post office: network, external_id and name, the rest by its own names."""
    own = stated(
        model, "storeGenreCode", "storeZip", "storePrefecture", "storeAddress", "areaCode", "depo", "openTime",
        "closeTime", "cvsRemarks",
    )  # fmt: skip
    known = {"network": "cvsCode", "external_id": "storeCode", "name": "storeName"}
    return {name: found for name, key in known.items() if (found := optional_text(model, key)) is not None} | own


def _read_band(band: str) -> tuple[time | None, time | None]:
    if band == _MORNING:
        return None, _NOON
    if band == _AFTERNOON:
        return _NOON, None
    if not (band.isascii() and band.isdecimal()) or not _SHORTEST_BAND <= len(band) <= _SHORTEST_BAND + 1:
        return None, None
    first, last = int(band[:-2]), int(band[-2:])
    if first > _LAST_HOUR or last > _MIDNIGHT_HOUR:
        return None, None
    # 24:00 has no time of its own.
    return time(first), time.max if last == _MIDNIGHT_HOUR else time(last)
