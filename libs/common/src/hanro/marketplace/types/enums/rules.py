"""Names what a marketplace can do, what is counted and what its policy speaks of."""

from enum import StrEnum, auto


class Comparison(StrEnum):
    """Compare a policy fact with a condition's value; MATCHES: a pattern that matches whole."""

    IS = auto()
    IS_NOT = auto()
    MORE_THAN = auto()
    MATCHES = auto()


class Verdict(StrEnum):
    """Say what a policy rule does when it holds."""

    REFUSE = auto()
    WARN = auto()


class BatchUnit(StrEnum):
    """Say what a batch counts."""

    ORDER = auto()
    LINE = auto()
    LISTING = auto()
    OFFER = auto()
    FILE = auto()
    MESSAGE = auto()


class Channel(StrEnum):
    """Say how a message reaches the buyer: by the marketplace's API or its mail relay."""

    API = auto()
    RELAY = auto()


class Trigger(StrEnum):
    """Name what makes a message to the buyer due."""

    NEW_ORDER = auto()
    CONFIRMED = auto()
    SHIPPED = auto()
    CANCELLED = auto()
    PARTLY_CANCELLED = auto()
    DELAYED = auto()
    COMPLETED = auto()
    MANUAL = auto()
    REPLY = auto()


class NoticeKind(StrEnum):
    """Name what a pushed notice hints at."""

    ORDER_PLACED = auto()
    ORDER_CHANGED = auto()
    ORDER_RELEASED = auto()
    ORDER_CANCELLED = auto()
    CAUTION = auto()
    RESTOCK_ASKED = auto()
    FILE_DONE = auto()
    OTHER = auto()


class PolicySubject(StrEnum):
    """Name what a policy rule judges."""

    MESSAGE = auto()
    DOCUMENT = auto()
    TRACKING = auto()
    DECISION = auto()
    SHIPMENT = auto()
    LISTING = auto()


class PolicyFact(StrEnum):
    """Name what a policy condition looks at."""

    TRIGGER = auto()
    CHANNEL = auto()
    DOCUMENT = auto()
    AGE_PLACED = auto()
    AGE_DELIVERED = auto()
    CLAIM_STAGE = auto()
    BODY = auto()
    CARRIER = auto()
    PRICE = auto()


class Capability(StrEnum):
    """Name what a marketplace may be able to do; every plug-in declares each as Supported or Absent."""

    KEY_EXPIRY = auto()
    RENEW_KEY = auto()
    MARKET_INFORMATION = auto()
    FIND_ORDERS = auto()
    FETCH_ORDER = auto()
    READ_PAYMENTS = auto()
    NOTICES = auto()
    IMPORT_ORDERS = auto()
    ACCEPT = auto()
    ACCEPT_LINE = auto()
    REFUSE_LINE = auto()
    ANNOUNCE_DELAY = auto()
    SHIP = auto()
    SHIP_LINE = auto()
    CORRECT_SHIPMENT = auto()
    CANCEL_ORDER = auto()
    CANCEL_LINE = auto()
    CANCEL_QUANTITY = auto()
    CANCEL_SHIPPED = auto()
    REFUND_AMOUNT = auto()
    ANSWER_CANCELLATION = auto()
    ANSWER_RETURN = auto()
    ANSWER_EXCHANGE = auto()
    PUBLISH = auto()
    PAUSE = auto()
    DELETE = auto()
    UPLOAD_IMAGES = auto()
    READ_LISTINGS = auto()
    READ_ATTRIBUTES = auto()
    EXPORT_LISTINGS = auto()
    SET_STOCK = auto()
    READ_STOCK = auto()
    MESSAGE_BUYER = auto()
    READ_INQUIRIES = auto()
    ANSWER_INQUIRY = auto()
