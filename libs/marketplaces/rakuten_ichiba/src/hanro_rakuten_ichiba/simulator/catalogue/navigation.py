"""Answers NavigationAPI 2.0 for a mall without genres below the root."""

from collections.abc import Mapping

from hanro_rakuten_ichiba.simulator.catalogue.refusals import refuse
from hanro_rakuten_ichiba.simulator.messages import Answer

_VERSION = {"version": {"id": 132, "fixedAt": "2026-07-28T07:52:18+09:00"}}
_FLAGS = ("showAncestors", "showSiblings", "showChildren")
_ALL = "-"
_MOST = 10_000


def answer_navigation(function: str, arguments: Mapping[str, str], query: Mapping[str, str]) -> Answer:
    """Answer one call. Source: rakuten-ichiba-catalog 4.1 [2+], 4.5 [1]."""
    if function == "navigation.version.get":
        return Answer(200, _VERSION)
    genre, attribute = arguments.get("genreId", ""), arguments.get("attributeId", "")
    if not genre.isdecimal():
        return _invalid("invalidGenreId", "genreId")
    is_values = function.endswith("dictionaryValues.get")
    if attribute and not attribute.isdecimal() and not (is_values and attribute == _ALL):
        return _invalid("invalidAttributeId", "attributeId")
    refusal = _page(query, attribute) if is_values else _flags(query)
    if refusal is not None:
        return refusal
    if function == "navigation.genres.get" and int(genre[:9]) == 0:
        return Answer(200, {"genre": {"children": []}})
    return refuse(404, ("notGenreFound", "Not genre found.", None))


def _flags(query: Mapping[str, str]) -> Answer | None:
    for name in _FLAGS:
        if query.get(name, "false") not in ("true", "false"):
            return _invalid(f"invalidShowGenre{name.removeprefix('show')}", name)
    return None


def _page(query: Mapping[str, str], attribute: str) -> Answer | None:
    asked = {name: query[name] for name in ("page", "limit") if name in query}
    for name, text in asked.items():
        if not (text.isdecimal() and 1 <= int(text[:9]) <= _MOST):
            return _invalid(f"invalid{name.capitalize()}", name)
    if len(asked) == 1:
        return _invalid("invalidPageAndLimit", "page and limit")
    return _invalid("requiredAttributeId", "attributeId") if asked and attribute == _ALL else None


def _invalid(code: str, name: str) -> Answer:
    return refuse(400, (code, f"The {name} parameter is invalid.", None))
