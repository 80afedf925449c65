"""Says what an unlink and its plan look like to callers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from account_svc.accounts.reading import Unlink
from account_svc.accounts.unlinking.plans import LONGEST_TOKEN, UnlinkPlan
from account_svc.api.texts import TextShown, show_text
from account_svc.domain.accounts import Account
from account_svc.domain.holdings import Line
from hanro.errors import LocalizedText
from hanro.web.shapes import Body, Shown

LABELS: Mapping[str, LocalizedText] = {
    "credentials": LocalizedText(ja="認証情報（完全に削除）", en="credentials, deleted for good"),
    "spare_credentials": LocalizedText(ja="予備の認証情報（完全に削除）", en="second credentials, deleted for good"),
    "market_entries": LocalizedText(ja="マーケットプレイスから取得した設定", en="settings read from the marketplace"),
    "preflights": LocalizedText(ja="事前チェックの履歴", en="history of preflights"),
    "listings": LocalizedText(ja="商品と SKU の対応（出品データ）", en="product data: which offer is which SKU"),
    "bindings": LocalizedText(ja="メールテンプレートの割り当て", en="bindings of templates to triggers"),
    "orders": LocalizedText(ja="受注（そのまま残ります）", en="orders, which stay as they are"),
}
WHERE = {
    "preflights": "/v1/accounts/{id}/preflights",
    "listings": "/v1/listings?account_id={id}",
    "bindings": "/v1/bindings?account_id={id}",
    "orders": "/v1/orders?account_id={id}",
}
AT_MARKETPLACE = LocalizedText(
    ja="マーケットプレイスの出品はそのまま販売が続きます。hanro は何も書き込みません。販売を止める場合は、"
    "先にマーケットプレイスの管理画面で停止してください（hanro からの一括停止は商品機能の提供後に利用できます）。",
    en="Listings stay on sale at the marketplace, untouched: hanro writes nothing there. To stop sales, stop them "
    "first in the marketplace's own back office (stopping them from here comes with the catalogue).",
)
WARNING = LocalizedText(
    ja="解除は取り消せません。待機中の受注承認とメールは送信されずに終わります。",
    en="This cannot be undone. Acceptances and mails that still wait are ended without being sent.",
)
LINKING_AGAIN = LocalizedText(
    ja="同じ店舗は :link-again で同じアカウント ID のまま再連携できます。受注は残りますが、"
    "商品は新しい出品として登録されます（既存の出品を SKU で引き継ぐ機能は商品機能の提供後に利用できます）。",
    en="The same shop is linked again by :link-again under the same account id. Its orders are still there; its "
    "products are listed as new ones (taking over existing listings by SKU comes with the catalogue).",
)


class PlanLineShown(Shown):
    """One kind of things that is held of an account."""

    service: str
    """Who holds it."""
    kind: str
    """What it is: `credentials`, `listings`, `bindings`, `orders` …"""
    label: TextShown
    """The same for people."""
    count: int | None
    """How many; null: the service has not said, `href` shows them."""
    counted_at: datetime | None
    """When they were counted; null: they were not."""
    href: str | None
    """Where they are listed; null: nowhere."""


class ExportShown(Shown):
    """Where identifiers can be fetched before they go."""

    label: TextShown
    """What they are."""
    href: str
    """By GET, as JSON pages or whole as CSV."""


class UnlinkPlanShown(Shown):
    """What an unlink would do, and the token that stands for having read it."""

    account_id: str
    """The account."""
    token: str
    """To be given to `:unlink`; dies at `expires_at`, or when what goes changes."""
    expires_at: datetime
    """15 minutes after the plan was made."""
    goes: list[PlanLineShown]
    """Deleted for good, everywhere in hanro."""
    stays: list[PlanLineShown]
    """Kept as it is."""
    at_marketplace: TextShown
    """What becomes of the listings there: nothing."""
    is_irreversible: Literal[True]
    """It cannot be undone."""
    warning: TextShown
    """The same for people."""
    linking_again: TextShown
    """What linking the shop again brings back, and what not."""
    exports: list[ExportShown]
    """Fetch these first."""


class UnlinkBody(Body):
    """Unlink by a plan that was read."""

    token: Annotated[str, Field(min_length=1, max_length=LONGEST_TOKEN, examples=["PnFk…"])]
    """Of `:plan-unlink`."""


class UnlinkingShown(Shown):
    """How far an unlink is."""

    operation: str
    """Where its operation is."""
    waiting_for: list[str]
    """Services that have not let go yet; empty: the end is near."""


def show_unlink(unlink: Unlink | None) -> UnlinkingShown | None:
    """Show how far an unlink is."""
    if unlink is None:
        return None
    return UnlinkingShown(
        operation=f"/v1/account/operations/{unlink.operation_id}", waiting_for=list(unlink.waiting_for)
    )


def show_plan(account: Account, plan: UnlinkPlan) -> UnlinkPlanShown:
    """Show a plan."""
    return UnlinkPlanShown(
        account_id=account.id,
        token=plan.token,
        expires_at=plan.expires_at,
        goes=[_line(account, line) for line in plan.lines if line.is_going],
        stays=[_line(account, line) for line in plan.lines if not line.is_going],
        at_marketplace=show_text(AT_MARKETPLACE),
        is_irreversible=True,
        warning=show_text(WARNING),
        linking_again=show_text(LINKING_AGAIN),
        exports=[
            ExportShown(
                label=TextShown(ja="SKU と出品の識別子", en="SKUs and the identifiers of offers"),
                href=f"/v1/catalog/identifiers?account_id={account.id}",
            ),
            ExportShown(
                label=TextShown(ja="受注番号", en="order numbers"),
                href=f"/v1/order/identifiers?account_id={account.id}",
            ),
        ],
    )


def _line(account: Account, line: Line) -> PlanLineShown:
    where = WHERE.get(line.kind)
    return PlanLineShown(
        service=line.service,
        kind=line.kind,
        label=show_text(LABELS[line.kind]),
        count=line.count,
        counted_at=line.counted_at,
        href=where.replace("{id}", account.id) if where else None,
    )
