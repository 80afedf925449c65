"""Describes one function of RMS WEB API."""

from collections.abc import Mapping
from enum import StrEnum, auto

from hanro.errors import LocalizedText
from hanro.value import value


class Family(StrEnum):
    """Name a family of functions by how it words answers and refusals."""

    ORDER = auto()
    LICENSE = auto()
    SHOP = auto()
    ITEMS = auto()
    NAVIGATION = auto()
    CABINET = auto()


@value
class Question:
    """Be the smallest request that tells whether a function may be called; it can change nothing.

    `path` is whole. `body` is sent as JSON, None sends none; `xml` is sent as it is. `shows` are members of which an
    answer of 200 has one.
    """

    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, object] | None = None
    xml: str = ""
    shows: tuple[str, ...] = ()


@value
class Function:
    """Describe one function; the grant is its name in 利用機能編集. Source: rakuten-ichiba-orders 1.1 [1], 3 [2+].

    `is_write`: it changes something, so that its question lacks a key that it requires. Where `path` has braces the
    caller fills them.
    """

    name: str
    method: str
    path: str
    grant_id: str
    group: str
    family: Family
    label: LocalizedText
    question: Question
    is_write: bool = False
