"""Documents: how fast 500 delivery notes become one file, and how much memory the presses take at most."""

import asyncio
import io
import resource
import statistics
import time
from typing import Any

import pypdf
from bench_places import Places
from bench_table import Row

from order_svc.documents import AT_ONCE, Press

ORDERS = 500
MOST_MB = 400.0


def documents(_places: Places, repetitions: int = 3) -> list[Row]:
    """Give pages a second of one file of 500 orders, each of four lines on a page of its own, and the largest press.

    The work of a page is the presses' seconds on the processor: it tells what the rate is made of, whoever else wants
    the processor.
    """
    notes = [_note(number) for number in range(ORDERS)]
    rates, works = [], []
    for _ in range(repetitions):
        before = _worked()
        seconds, pages = asyncio.run(_printed(notes))
        rates.append(pages / seconds)
        works.append((_worked() - before) * 1000 / pages)
    # Kilobytes on Linux; the largest of all children that have ended.
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [
        _row("pages of one file of 500 orders", statistics.median(rates), "/s", spread=tuple(rates)),
        _row("work of a page", statistics.median(works), "ms CPU", spread=tuple(works)),
        _row("memory of the largest press", megabytes, "MB", passes=MOST_MB, spread=(megabytes,)),
    ]


def _worked() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


async def _printed(notes: list[dict[str, Any]]) -> tuple[float, int]:
    press = Press()
    began = time.monotonic()
    files = [await press.print(notes[start : start + AT_ONCE]) for start in range(0, len(notes), AT_ONCE)]
    file = await press.bind(files)
    return time.monotonic() - began, len(pypdf.PdfReader(io.BytesIO(file)).pages)


def _row(what: str, measured: float, unit: str, *, spread: tuple[float, ...], passes: float | None = None) -> Row:
    return Row(
        bar="documents",
        what=what,
        measured=measured,
        unit=unit,
        passes=passes,
        stretch=None,
        is_at_least=False,
        ours=f"{measured:,.1f} {unit}",
        baseline="",
        spread=spread,
    )


def _note(number: int) -> dict[str, Any]:
    line = {"title": "煎茶 見本", "options": "色: 白", "sku": f"tea-{number}", "quantity": "1", "unit": "¥1,080"}
    block = {"postal": "〒100-0000", "lines": [f"東京都見本区見本町{number}"], "name": "見本 花子 様"}
    section = {"head": "", "recipient": None, "extras": [["のし", "御祝"]], "postage": ""}
    return {
        "title": "納品書",
        "recipient": block,
        "shop": {"name": "見本ストア", "issuer": "見本商事株式会社", "number": "事業者番号 T7000012050002"},
        "greeting": "下記のとおり納品いたします。",
        "facts": [["注文番号", f"100001-20260301-{number:010}"], ["注文日時", "2026/03/01 20:59"]],
        "sections": [section | {"rows": [line | {"mark": "※", "amount": "¥1,080"}] * 4}],
        "sums": [["商品合計", "¥4,320"], ["送料", "¥500"], ["ご請求金額", "¥4,820"]],
        "taxes": [["8%対象", "¥4,320", "¥320"], ["10%対象", "¥500", "¥45"]],
        "remarks": ["※ は軽減税率(8%)対象です。"],
    }
