"""Shows texts of both languages, menu paths and what marketplaces said."""

from pydantic import BaseModel

from hanro.errors import LocalizedText, MenuPath, Refusal


class TextShown(BaseModel):
    """A text in both languages."""

    ja: str
    en: str


class MenuShown(BaseModel):
    """The way to a page of the marketplace's back office, in its own words."""

    steps: list[str]
    url: str | None
    is_login_needed: bool


class RefusalShown(BaseModel):
    """What the marketplace said, verbatim, without secrets."""

    code: str
    message: str
    http_status: int | None
    request_id: str | None


def show_text(text: LocalizedText) -> TextShown:
    """Show a text in both languages."""
    return TextShown(ja=text.ja, en=text.en)


def show_menu(menu: MenuPath) -> MenuShown:
    """Show a menu path."""
    return MenuShown(steps=list(menu.steps), url=menu.url, is_login_needed=menu.is_login_needed)


def show_refusal(refusal: Refusal | None) -> RefusalShown | None:
    """Show what the marketplace said."""
    if refusal is None:
        return None
    return RefusalShown(
        code=refusal.code, message=refusal.message, http_status=refusal.http_status, request_id=refusal.request_id
    )
