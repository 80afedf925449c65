"""Holds the words and menu paths that several declarations share."""

from hanro.errors import LocalizedText, MenuPath

# Source: seed 004, rakuten-france 2.1 [2+].
ACCOUNT = MenuPath(steps=("Mon compte",), url="https://fr.shopping.rakuten.com/")
DEVELOPER = MenuPath(steps=("Mon compte", "Mes informations développeur"), url="https://fr.shopping.rakuten.com/")
BANNER = MenuPath(steps=("user banner",), url="https://fr.shopping.rakuten.com/")


def both(ja: str, en: str) -> LocalizedText:
    """Make a text of both languages."""
    return LocalizedText(ja=ja, en=en)
