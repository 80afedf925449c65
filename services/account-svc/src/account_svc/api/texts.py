"""Shows texts of both languages, menu paths and what marketplaces said."""

from hanro.errors import LocalizedText, MenuPath, Refusal
from hanro.web.shapes import Shown


class TextShown(Shown):
    """A text in both languages."""

    ja: str
    """Japanese."""
    en: str
    """English."""


class MenuShown(Shown):
    """The way to a page of the marketplace's back office, in its own words."""

    steps: list[str]
    """From page to page, in the words of the marketplace."""
    url: str | None
    """Address of the page; null: none is known."""
    is_login_needed: bool
    """Whether one must be logged in there."""
    login_note: TextShown | None
    """What people read where a login is needed; null: none is."""


class RefusalShown(Shown):
    """What the marketplace said, verbatim, without secrets."""

    code: str
    """The marketplace's own code."""
    message: str
    """Its own words."""
    http_status: int | None
    """Its HTTP status; null: it did not come over HTTP."""
    request_id: str | None
    """What its support asks for; null: it gave none."""


def show_text(text: LocalizedText) -> TextShown:
    """Show a text in both languages."""
    return TextShown(ja=text.ja, en=text.en)


def show_menu(menu: MenuPath) -> MenuShown:
    """Show a menu path."""
    note = None
    if menu.is_login_needed:
        note = TextShown(ja=f"{menu.steps[0]} へのログインが必要です", en=f"login to {menu.steps[0]} needed")
    return MenuShown(steps=list(menu.steps), url=menu.url, is_login_needed=menu.is_login_needed, login_note=note)


def show_refusal(refusal: Refusal | None) -> RefusalShown | None:
    """Show what the marketplace said."""
    if refusal is None:
        return None
    return RefusalShown(
        code=refusal.code, message=refusal.message, http_status=refusal.http_status, request_id=refusal.request_id
    )
