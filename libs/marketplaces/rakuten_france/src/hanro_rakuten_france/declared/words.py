"""Holds the words and menu paths that several declarations share."""

from hanro.errors import LocalizedText, MenuPath

# Source: seed 004, rakuten-france 2.1 [2+].
_URL = "https://fr.shopping.rakuten.com/"
ACCOUNT = MenuPath(steps=("Rakuten France", "Mon compte"), url=_URL)
DEVELOPER = MenuPath(steps=("Rakuten France", "Mon compte", "Mes informations développeur"), url=_URL)
BANNER = MenuPath(steps=("Rakuten France", "user banner"), url=_URL)


def both(ja: str, en: str) -> LocalizedText:
    """Make a text of both languages."""
    return LocalizedText(ja=ja, en=en)
