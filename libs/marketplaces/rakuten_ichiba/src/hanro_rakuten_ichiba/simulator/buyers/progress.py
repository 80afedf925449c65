"""Knows what an order of a given state has behind it: its times, its history and its shipping rows.

Source: rakuten-ichiba-orders 8.1, 8.2 [2+], 5.8, 5.12.
"""

from datetime import datetime, timedelta

_AUTOMATIC_CANCELLATION_DAYS = 14
_CONFIRMED_AFTER = timedelta(minutes=30)
_FIXED_AFTER = timedelta(minutes=47)
_NEW, _CONFIRMED, _FIXED, _SHIPPED, _CANCELLING, _CANCELLED = 100, 200, 300, 500, 800, 900
_ORDER_CONFIRMED, _CANCEL_APPLIED, _CANCEL_COMPLETED = 8, 0, 2
_BUYER, _BUYER_CANCELS = 1, 1
_FIRST_CHANGE_ID = 800_000_000
_FIRST_SHIPPING_ID = 700_000_000


def wire_time(moment: datetime) -> str:
    """Write an aware time as the marketplace does: `2026-05-11T10:15:30+0900`. Source: 2 [wire]."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S%z")


def times(placed_at: datetime, progress: int) -> dict[str, object]:
    """Return the six time members in their order; a cancelled order never got further than its placing."""
    is_confirmed = _CONFIRMED <= progress < _CANCELLED
    is_fixed = _FIXED <= progress < _CANCELLED
    is_shipped = _SHIPPED <= progress < _CANCELLING
    fixed_at = wire_time(placed_at + _FIXED_AFTER) if is_fixed else None
    due = (placed_at + timedelta(days=_AUTOMATIC_CANCELLATION_DAYS)).date().isoformat()
    return {
        "orderDatetime": wire_time(placed_at),
        "shopOrderCfmDatetime": wire_time(placed_at + _CONFIRMED_AFTER) if is_confirmed else None,
        "orderFixDatetime": fixed_at,
        "shippingInstDatetime": fixed_at,
        "shippingCmplRptDatetime": wire_time(_night_after(placed_at)) if is_shipped else None,
        "cancelDueDate": due if progress == _NEW else None,
    }


def change_reasons(placed_at: datetime, progress: int, sequence: int) -> list[dict[str, object]]:
    """Return the history: the confirmation, and the cancellation by the buyer when there was one."""
    reasons = []
    if _CONFIRMED <= progress < _CANCELLED:
        reasons.append(_reason(sequence, _ORDER_CONFIRMED, placed_at + _CONFIRMED_AFTER))
    if progress == _CANCELLING:
        applied = _reason(sequence, _CANCEL_APPLIED, placed_at + _FIXED_AFTER, place=1, is_of_buyer=True)
        reasons.append(applied | {"changeFixDatetime": None, "changeCmplDatetime": None})
    if progress == _CANCELLED:
        cancelled_at = placed_at + timedelta(minutes=10)
        reasons.append(_reason(sequence, _CANCEL_COMPLETED, cancelled_at, is_of_buyer=True))
    return reasons


def shipping_rows(placed_at: datetime, progress: int, *, detail_id: int) -> list[dict[str, object]]:
    """Return one complete shipping row for a destination of an order that has left, else none."""
    if not _SHIPPED <= progress < _CANCELLING:
        return []
    number = _FIRST_SHIPPING_ID + detail_id
    return [
        {
            "shippingDetailId": number,
            "shippingNumber": f"{number:012d}",
            "deliveryCompany": "1001",
            "deliveryCompanyName": "ヤマト運輸",
            "shippingDate": (placed_at + timedelta(days=1)).date().isoformat(),
        }
    ]


def _reason(
    sequence: int, change_type: int, moment: datetime, *, place: int = 0, is_of_buyer: bool = False
) -> dict[str, object]:
    at = wire_time(moment)
    return {
        "changeId": _FIRST_CHANGE_ID + sequence * 10 + place,
        "changeType": change_type,
        "changeTypeDetail": None,
        "changeReason": _BUYER if is_of_buyer else None,
        "changeReasonDetail": _BUYER_CANCELS if is_of_buyer else None,
        "changeApplyDatetime": at,
        "changeFixDatetime": at,
        "changeCmplDatetime": at,
    }


def _night_after(placed_at: datetime) -> datetime:
    """The run of the night after the shipping date, which is the day after the order: 00:05:06 as in 8.2 [wire]."""
    return (placed_at + timedelta(days=2)).replace(hour=0, minute=5, second=6)
