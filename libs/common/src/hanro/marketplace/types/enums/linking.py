"""Names what linking a seller's account knows: form fields, grants, what the seller set up there."""

from enum import StrEnum, auto


class Markup(StrEnum):
    """Say which markup a text may hold."""

    NONE = auto()
    LIMITED_HTML = auto()
    HTML = auto()


class LengthUnit(StrEnum):
    """Say what a text's length counts; WIDTH_BYTES: half-width 1, any other 2.

    Source: rakuten-ichiba-catalog 1.5.
    """

    CHARACTERS = auto()
    WIDTH_BYTES = auto()
    UTF8_BYTES = auto()


class FieldKind(StrEnum):
    """Say what is typed into a field."""

    TEXT = auto()
    PASSWORD = auto()
    EMAIL = auto()
    DATE = auto()
    NUMBER = auto()
    FLAG = auto()
    CHOICE = auto()
    JSON = auto()


class Supplier(StrEnum):
    """Say who fills a field; INSTALLATION: the same for all accounts, DERIVED: minted by `Access.renew`."""

    SELLER = auto()
    INSTALLATION = auto()
    DERIVED = auto()


class ExpirySource(StrEnum):
    """Say where an expiry comes from: read there, computed, or typed by the seller; NONE: it never ends."""

    READ = auto()
    COMPUTED = auto()
    TYPED = auto()
    NONE = auto()


class GrantState(StrEnum):
    """Say whether a grant works; UNKNOWN and PENDING (a key settles) are answers, not errors."""

    GRANTED = auto()
    DENIED = auto()
    PENDING = auto()
    UNKNOWN = auto()


class ProbeKind(StrEnum):
    """Say how a grant is asked for; REFUSED: by a request that the service must refuse."""

    READ = auto()
    REFUSED = auto()
    SMTP = auto()
    NONE = auto()


class MarketKind(StrEnum):
    """Name what a seller sets up at the marketplace itself."""

    SHOP = auto()
    COMPANY_ADDRESS = auto()
    RETURN_ADDRESS = auto()
    SHIP_FROM = auto()
    SHIPPING_GROUP = auto()
    SHIPPING_AREA = auto()
    SHIPPING_MODE = auto()
    DELIVERY_DATE = auto()
    LEAD_TIME = auto()
    CALENDAR = auto()
    CATEGORY = auto()
    BRAND = auto()
    SUB_STATUS = auto()
