"""Gives imports of files, and the files that can be imported, the form that callers see."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from hanro.errors import LocalizedText, MenuPath
from hanro.marketplace.types import CsvLayout
from hanro.web.shapes import Body, NextCursor, Shown
from order_svc.domain.imports import NOTHING_STORED, STOCK_NOT_MOVED
from order_svc.domain.merging import Mode
from order_svc.store.import_rows import Outcome
from order_svc.store.imports import Import

RowOutcome = Literal["new", "changed", "unchanged", "refused"]
ImportState = Literal["accepted", "reading", "storing", "done", "failed"]


class ImportAsked(Body):
    """What is to become of a file; beside it in the form, or in the query."""

    account_id: str = Field(min_length=1, max_length=64)
    """The account whose orders the file holds."""
    mode: Mode = "update"
    """`update` (更新): blank cells leave what is there. `overwrite` (書換): blank cells clear it."""
    dry_run: bool = False
    """Find out what would become of each row, and store nothing."""
    reserves_stock: bool = False
    """Let the file's orders hold stock like any other; without it stock is adjusted by hand."""


class TextShown(Shown):
    """A text in both languages."""

    ja: str
    """In Japanese."""
    en: str
    """In English."""


class MenuShown(Shown):
    """The way to a page of the marketplace's back office, in its own words."""

    steps: list[str]
    """Outermost first; what is asked there, such as a user name and password, stands among them."""
    url: str | None
    """Its address, where one is known."""
    is_login_needed: bool
    """Whether one must log in."""


class ColumnShown(Shown):
    """A column of a file."""

    name: str
    """As it stands in the header."""
    aliases: list[str]
    """Other spellings that are taken for it."""
    is_required: bool
    """A file without it is refused."""


class LayoutShown(Shown):
    """A file of orders that can be imported."""

    marketplace_id: str
    """Whose file it is."""
    name: str
    """Its name here."""
    version: str
    """Which of its forms."""
    encodings: list[str]
    """Encodings that are tried, strictly."""
    download: MenuShown | None
    """Where the marketplace gives it; null: it gives it no more."""
    columns: list[ColumnShown]
    """In the marketplace's order; a file may have them in any other."""


class LayoutsShown(Shown):
    """The files of orders that can be imported."""

    layouts: list[LayoutShown]
    """By marketplace."""


class LayoutUsed(Shown):
    """The layout that a file was recognised as."""

    name: str
    """Its name here."""
    version: str
    """Which of its forms."""
    encoding: str
    """The file's encoding."""


class RowCounts(Shown):
    """How far the rows of a file are."""

    read: int
    """Rows that were found so far."""
    done: int
    """Those of which is known what became of them."""
    refused: int
    """Those of them that were refused."""


class OrderCounts(Shown):
    """What became of the file's orders so far; in a dry run, what would."""

    new: int
    """Orders that were not known."""
    changed: int
    """Known orders that it changed."""
    unchanged: int
    """Known orders of which it says nothing new."""


class ImportNotice(Shown):
    """Something to know about an import that is no failure."""

    code: Literal["stock-not-moved", "dry-run", "columns-unknown", "columns-absent"]
    """Stable name."""
    message: TextShown
    """For people."""
    columns: list[str]
    """The columns that it is about."""


class ImportFailed(Shown):
    """Why an import ended before its last row; what was stored stands."""

    code: str
    """Stable name."""
    why: str
    """One sentence."""


class ImportShown(Shown):
    """A file of orders that is taken in, or was; its rows are listed below it."""

    id: str
    """imp_…"""
    account_id: str
    """The account."""
    marketplace_id: str
    """Where."""
    mode: Mode
    """`update` (更新) or `overwrite` (書換)."""
    dry_run: bool
    """Nothing is stored."""
    reserves_stock: bool
    """Its orders hold stock."""
    state: ImportState
    """`reading`: its rows are found. `storing`: its orders are taken in."""
    layout: LayoutUsed
    """What it was recognised as."""
    download: MenuShown | None
    """Where the marketplace gives such files."""
    size_bytes: int
    """Of the file."""
    rows: RowCounts
    """How far it is; the header is no row."""
    orders: OrderCounts
    """What became of its orders."""
    notices: list[ImportNotice]
    """What to know about it."""
    failure: ImportFailed | None
    """Why it ended early; null: it did not."""
    asked_by: str
    """Who sent it."""
    created_at: datetime
    """When it began to come."""
    changed_at: datetime
    """When it got on last."""
    finished_at: datetime | None
    """When it ended."""


class ImportPageShown(Shown):
    """Imports, the last one first."""

    items: list[ImportShown]
    """The last one first."""
    next: NextCursor


class RowShown(Shown):
    """What became of a row."""

    number: int
    """As a spreadsheet counts: the header is 1."""
    outcome: RowOutcome
    """What became of its order; `refused`: nothing of the order was taken in."""
    order_id: str | None
    """ord_…; null: refused, or it would be new."""
    code: str | None
    """Why it was refused; stable."""
    column: str | None
    """The column at fault, where it is one."""
    byte_offset: int | None
    """The byte at fault, from the file's first, where it is one."""
    message: TextShown | None
    """Why it was refused, for people."""


class RowPageShown(Shown):
    """Rows, in the file's order."""

    items: list[RowShown]
    """In the file's order."""
    next: NextCursor


def show_import(found: Import, layout: CsvLayout | None) -> ImportShown:
    """Show one import; `layout` is its layout, None where it is not known any more."""
    return ImportShown(
        id=found.id,
        account_id=found.account_id,
        marketplace_id=found.marketplace_id,
        mode=found.mode,
        dry_run=found.is_dry_run,
        reserves_stock=found.reserves_stock,
        state=found.state,
        layout=LayoutUsed(name=found.layout, version=found.layout_version, encoding=found.encoding),
        download=show_menu(layout.download if layout else None),
        size_bytes=found.size_bytes,
        rows=RowCounts(read=found.row_count, done=found.done_count, refused=found.refused_count),
        orders=OrderCounts(new=found.new_count, changed=found.changed_count, unchanged=found.unchanged_count),
        notices=_notices(found),
        failure=ImportFailed(code=found.failure["code"], why=found.failure["why"]) if found.failure else None,
        asked_by=found.asked_by,
        created_at=found.created_at,
        changed_at=found.changed_at,
        finished_at=found.finished_at,
    )


def show_row(found: Outcome) -> RowShown:
    """Show what became of a row."""
    fault = found.fault
    return RowShown(
        number=found.number,
        outcome=found.outcome,
        order_id=found.order_id,
        code=fault.code if fault else None,
        column=fault.column if fault else None,
        byte_offset=fault.byte_offset if fault else None,
        message=TextShown.model_validate(fault.message) if fault else None,
    )


def show_layout(marketplace_id: str, layout: CsvLayout) -> LayoutShown:
    """Show a file that can be imported."""
    return LayoutShown(
        marketplace_id=marketplace_id,
        name=layout.name,
        version=layout.version,
        encodings=list(layout.encodings),
        download=show_menu(layout.download),
        columns=[
            ColumnShown(name=one.name, aliases=list(one.aliases), is_required=one.is_required) for one in layout.columns
        ],
    )


def show_menu(menu: MenuPath | None) -> MenuShown | None:
    """Show the way to a page."""
    if menu is None:
        return None
    return MenuShown(steps=list(menu.steps), url=menu.url, is_login_needed=menu.is_login_needed)


def _notices(found: Import) -> list[ImportNotice]:
    told: list[ImportNotice] = []

    def tell(code: str, message: LocalizedText, columns: tuple[str, ...] = ()) -> None:
        told.append(ImportNotice(code=code, message=TextShown.model_validate(message), columns=list(columns)))

    if not found.reserves_stock:
        tell("stock-not-moved", STOCK_NOT_MOVED)
    if found.is_dry_run:
        tell("dry-run", NOTHING_STORED)
    if found.unknown_columns:
        names = "、".join(found.unknown_columns)
        english = f"Columns that this layout does not have are not read: {', '.join(found.unknown_columns)}."
        tell(
            "columns-unknown", LocalizedText(ja=f"次の項目は読み込みません: {names}", en=english), found.unknown_columns
        )
    if found.absent_columns:
        names = "、".join(found.absent_columns)
        english = f"Columns that the file does not have stay as they are: {', '.join(found.absent_columns)}."
        tell(
            "columns-absent",
            LocalizedText(ja=f"次の項目はファイルにありません: {names}", en=english),
            found.absent_columns,
        )
    return told
