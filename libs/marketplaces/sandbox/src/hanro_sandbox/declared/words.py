"""Holds the words and menu paths that several declarations share."""

from hanro.errors import LocalizedText, MenuPath

SOURCE = "sandbox README"
"""The protocol is the folder's README; it is hanro's own, so nothing is assumed."""
SHOP_PAGE = MenuPath(steps=("/_sim/docs", "shops"), is_login_needed=False)
ACCESS_PAGE = MenuPath(steps=("/_sim/docs", "access"), is_login_needed=False)


def both(ja: str, en: str) -> LocalizedText:
    """Make a text of both languages."""
    return LocalizedText(ja=ja, en=en)
