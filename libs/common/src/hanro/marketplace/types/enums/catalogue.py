"""Names what a listing and its attributes can be."""

from enum import StrEnum, auto


class SaleStatus(StrEnum):
    """Say whether a listing sells."""

    IN_REVIEW = auto()
    ON_SALE = auto()
    OFF_SALE = auto()
    SUSPENDED = auto()
    REFUSED = auto()
    DELETED = auto()


class Part(StrEnum):
    """Name a part of a listing that is sent by itself."""

    CONTENT = auto()
    IMAGES = auto()
    VARIANTS = auto()
    PRICE = auto()
    SALE = auto()
    STOCK = auto()


class Level(StrEnum):
    """Say whether something belongs to the listing or to each variant."""

    LISTING = auto()
    VARIANT = auto()


class Requirement(StrEnum):
    """Say whether an attribute must be filled; ONE_OF_GROUP: one of its group must."""

    REQUIRED = auto()
    ONE_OF_GROUP = auto()
    FILTER = auto()
    OPTIONAL = auto()


class ValueType(StrEnum):
    """Say what an attribute's value is."""

    TEXT = auto()
    NUMBER = auto()
    DATE = auto()
    FLAG = auto()
