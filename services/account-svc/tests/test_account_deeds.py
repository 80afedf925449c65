"""Who ticked, filled in, had something read and unlinked: kept by name, once, without a word of what was typed."""

from collections.abc import AsyncIterator

import pytest
from account_bench import SCOPES, Bench, open_bench, prepare

from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

HANAKO = bearer(*SCOPES, subject="hanako")
SHEET = {
    "company": "株式会社カナリア",
    "shop": "見本店",
    "uses_pay": "なし",
    "shop_url": "https://www.example.invalid/mihon/",
    "contact_mail": "canary-contact@example.invalid",
    "phone": "03-0000-9999",
    "person": "見本 カナリア花子",
}


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


async def ask(bench: Bench, method: str, path: str, body: object = None) -> None:
    answer = await bench.public.request(method, path, json=body, headers=HANAKO)
    assert answer.is_success, answer.text


async def test_each_deed_is_kept_once_with_who_did_it(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    path = f"/v1/accounts/{account_id}"
    at = "2026-06-01T00:00:00Z"
    for _ in range(2):
        await ask(bench, "PUT", f"{path}/checklist/terms", {"state": "accepted", "at": at})
        await ask(bench, "PUT", f"{path}/application-sheet", {"values": SHEET})
        await ask(bench, "POST", f"{path}/application-sheet:sent", {})
    await ask(bench, "PUT", f"{path}/application-sheet", {"values": SHEET | {"phone": "03-0000-8888"}})
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'active', reason = null, credential_version = 1")
    for _ in range(2):
        await ask(bench, "POST", f"{path}/market-information:refresh")
    token = (await bench.public.post(f"{path}:plan-unlink")).json()["token"]
    for _ in range(2):
        await ask(bench, "POST", f"{path}:unlink", {"token": token})
    shown = await bench.public.get("/v1/account/audit", params={"account_id": account_id})
    kept = [(one["subject"], one["action"], one["changed"]) for one in reversed(shown.json()["items"])][1:]
    assert kept == [
        ("hanako", "tick-checklist", ["terms"]),
        ("hanako", "fill-application-sheet", list(SHEET)),
        ("hanako", "send-application-sheet", []),
        ("hanako", "fill-application-sheet", ["phone"]),
        ("hanako", "refresh-market-information", []),
        ("hanako", "unlink", ["epoch"]),
    ]
    assert not [text for text in ("カナリア", "canary", "0000-") if text in shown.text]
