"""Leads a seller to a linked shop of the sandbox."""

from hanro.marketplace.types import Guide, Prerequisite, Step
from hanro_sandbox.declared.grants import GRANTS
from hanro_sandbox.declared.words import ACCESS_PAGE, SHOP_PAGE, both

GUIDE = Guide(
    version="2026.1",
    prerequisites=(
        Prerequisite(
            id="shop",
            title=both("ショップとキー", "a shop and its key"),
            states=("open", "opened"),
            labels=(both("未対応", "open"), both("開設済み", "opened")),
            step_ids=("open_shop", "enter_key"),
        ),
        Prerequisite(
            id="functions",
            title=both("機能の有効化", "functions switched on"),
            states=("open", "on"),
            labels=(both("未対応", "open"), both("有効", "on")),
            step_ids=("switch_on",),
            grant_ids=frozenset(grant.id for grant in GRANTS),
        ),
    ),
    steps=(
        Step(
            id="open_shop",
            title=both("ショップを開く", "open a shop"),
            text=both(
                "サンドボックスの /_sim/docs で POST /_sim/shops を実行します。申込や費用は不要です。",
                "call POST /_sim/shops in /_sim/docs of the sandbox; it needs no application and costs nothing",
            ),
            menu=SHOP_PAGE,
        ),
        Step(
            id="enter_key",
            title=both("キーを入力する", "enter the key"),
            text=both(
                "応答の id と api_key を入力します。通知を使うときは notice_key も入力します。",
                "enter id and api_key of the answer, and notice_key to receive notices",
            ),
            menu=SHOP_PAGE,
        ),
        Step(
            id="switch_on",
            title=both("機能を有効にする", "switch the functions on"),
            text=both(
                "最初はすべて有効です。PUT /_sim/shops/{shop_id}/grants で切り替えて、権限がない状態を試せます。",
                "all are on at first; PUT /_sim/shops/{shop_id}/grants switches them, to try what a missing one does",
            ),
            menu=ACCESS_PAGE,
        ),
    ),
)
