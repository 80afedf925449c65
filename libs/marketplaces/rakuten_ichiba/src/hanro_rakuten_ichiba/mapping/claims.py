"""Reads cancellations out of the changes of an order."""

from hanro.marketplace.types import Claim, ClaimKind, ClaimStage, OrderRef, OrderStatus, Party
from hanro_rakuten_ichiba.mapping.fields import Tree, each, optional_moment, optional_text, text

# changeType 0 to 3 are cancellations, the others are not: rakuten-ichiba-orders 5.12.
_STAGES = {
    "0": ClaimStage.REQUESTED,
    "1": ClaimStage.RUNNING,
    "2": ClaimStage.DONE,
    "3": ClaimStage.WITHDRAWN,
}
_PARTIES = {"0": Party.SELLER, "1": Party.BUYER}
# 7.9 [2+]; 16 in answers alone.
_REASONS = {
    "1": "キャンセル",
    "2": "受取後の返品",
    "3": "長期不在による受取拒否",
    "4": "未入金",
    "5": "代引決済の受取拒否",
    "6": "その他",
    "8": "欠品",
    "10": "その他",
    "13": "発送遅延",
    "14": "顧客・配送対応注意表示",
    "15": "返品（破損・品間違い）",
    "16": "受取情報入力期限切れ",
}


def read_claims(order: Tree, ref: OrderRef, status: OrderStatus) -> tuple[Claim, ...]:
    """Read cancellations of the whole order, oldest first.

    Whether one entry moves on or each step has its own is not documented (5.12): once the order is cancelled, or a
    later entry settles the matter, an application is no longer open.
    """
    entries = [entry for entry in each(order, "ChangeReasonModelList", lambda entry: entry) if _is_cancellation(entry)]
    claims = []
    for place, entry in enumerate(entries):
        change_type = text(entry, "changeType")
        stage = _STAGES[change_type]
        if stage in (ClaimStage.REQUESTED, ClaimStage.RUNNING):
            stage = _settled(entries[place + 1 :], status) or stage
        claims.append(_claim(entry, ref, stage, change_type))
    return tuple(claims)


def _is_cancellation(entry: Tree) -> bool:
    return optional_text(entry, "changeType") in _STAGES


def _settled(later: list[Tree], status: OrderStatus) -> ClaimStage | None:
    last = _STAGES[text(later[-1], "changeType")] if later else None
    if last is ClaimStage.WITHDRAWN:
        return last
    return ClaimStage.DONE if status is OrderStatus.CANCELLED else last


def _claim(entry: Tree, ref: OrderRef, stage: ClaimStage, change_type: str) -> Claim:
    reason = optional_text(entry, "changeReasonDetail")
    return Claim(
        external_id=text(entry, "changeId"),
        kind=ClaimKind.CANCEL,
        stage=stage,
        status_text=change_type,
        order=ref,
        line_id=None,
        quantity=None,
        by=_PARTIES.get(optional_text(entry, "changeReason") or ""),
        reason="" if reason is None else _REASONS.get(reason, reason),
        requested=optional_moment(entry, "changeApplyDatetime"),
        completed=optional_moment(entry, "changeCmplDatetime"),
    )
