"""Makes and judges key pairs: service secret and licence key of a shop."""

import base64
import binascii
import random
import string
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from hanro_rakuten_ichiba.simulator.japan_time import day_in_japan, end_of_day

_ALPHANUMERICS = string.ascii_letters + string.digits
_SCHEME = "ESA "


@dataclass(frozen=True)
class Credentials:
    """Hold what an Authorization header said."""

    service_secret: str = field(repr=False)
    license_key: str = field(repr=False)


@dataclass(frozen=True)
class Key:
    """State one key pair; it works from `active_at` up to and including the second `expires_at`, unless revoked."""

    credentials: Credentials
    issued_at: datetime
    active_at: datetime
    expires_at: datetime
    is_revoked: bool = False

    def judge(self, now: datetime) -> Literal["valid", "dead", "pending"]:
        """Tell whether the key works now. Source: rakuten-ichiba-orders 1.1 [2+]."""
        if self.is_revoked or now >= self.expires_at + timedelta(seconds=1):
            return "dead"
        return "pending" if now < self.active_at else "valid"


def expiry(issued_at: datetime, life_days: int) -> datetime:
    """Give the last second of a key: 23:59:59 JST. Source: rakuten-ichiba-orders 1.1 [2+], 9 [1]."""
    return end_of_day(day_in_japan(issued_at) + timedelta(days=life_days))


def make_alphanumerics(source: random.Random) -> str:
    """Make 16 alphanumerics."""
    return "".join(source.choices(_ALPHANUMERICS, k=16))


def make_text(source: random.Random, prefix: str, shop_number: str) -> str:
    """Make `SP999001_` or `SL999001_` with 16 alphanumerics. Source: rakuten-ichiba-orders 1 [1]."""
    return f"{prefix}{shop_number}_{make_alphanumerics(source)}"


def read_authorization(header: str | None, *, is_lenient: bool = False) -> Credentials | None:
    """Read `ESA <base64 of secret:key>`; None when it is malformed, blanks inside either part included as they are.

    A lenient reader takes any letter case of ESA, any blanks behind it, and Base64 without its padding.
    """
    header = header or ""
    if is_lenient:
        scheme, _, rest = header.replace("\t", " ").partition(" ")
        encoded = rest.strip().rstrip("=")
        header = f"{scheme.upper()} {encoded}{'=' * (-len(encoded) % 4)}"
    if not header.startswith(_SCHEME):
        return None
    try:
        text = base64.b64decode(header[len(_SCHEME) :], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    service_secret, separator, license_key = text.partition(":")
    return Credentials(service_secret, license_key) if separator and service_secret and license_key else None


def write_authorization(credentials: Credentials) -> str:
    """Write the header's value."""
    pair = f"{credentials.service_secret}:{credentials.license_key}"
    return _SCHEME + base64.b64encode(pair.encode("utf-8")).decode("ascii")
