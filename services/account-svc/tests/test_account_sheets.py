"""Application sheets over HTTP on a real Postgres: checked, sealed, the mail that they make, the date it was sent."""

import asyncio
import json
import string
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from account_bench import SCOPES, Bench, open_bench, prepare
from hypothesis import given, settings
from hypothesis import strategies as st

from account_svc.store.holdings import erase
from hanro.crypto import Keyring
from hanro.marketplace import check_fields, installed
from hanro.marketplace.types import MarketplaceId
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

GOOD = {
    "company": "株式会社カナリア",
    "shop": "見本店",
    "uses_pay": "あり",
    "shop_url": "https://www.example.invalid/mihon/",
    "contact_mail": "canary-contact@example.invalid",
    "phone": "03-0000-9999",
    "person": "見本 カナリア花子",
}
PERSONAL = (GOOD["contact_mail"], GOOD["phone"], GOOD["person"], GOOD["company"])
SHEET = installed()[MarketplaceId("rakuten_ichiba")].guide.sheet
LETTERS = string.ascii_letters + string.digits


@pytest.fixture
async def bench(urls: SchemaUrls, tmp_path: Path) -> AsyncIterator[Bench]:
    texts = {"rakuten_ichiba": {"developer_mail": "apply@example.invalid"}}
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    async with open_bench(urls, folder=tmp_path) as opened:
        yield opened


async def kept_in(urls: SchemaUrls) -> bytes:
    connection = await asyncpg.connect(urls.owner, timeout=10)
    try:
        read = bytearray()

        async def take(chunk: bytes) -> None:
            read.extend(chunk)

        for row in await connection.fetch("select tablename from pg_tables where schemaname = 'account'"):
            await connection.copy_from_query(f'select t::text from account."{row[0]}" t', output=take)  # noqa: S608  our own tables
        return bytes(read)
    finally:
        await connection.close(timeout=10)


@pytest.mark.row("A20", kind="walks")
async def test_a_sheet_is_filled_in_makes_a_mail_and_keeps_when_it_was_sent(bench: Bench, urls: SchemaUrls) -> None:
    path = f"/v1/accounts/{(await bench.link())['id']}/application-sheet"
    empty = (await bench.public.get(path)).json()
    assert (empty["version"], empty["mail"], empty["values"]) == (0, None, {})
    assert empty["form"]["required"] == list(GOOD)
    assert empty["form"]["properties"]["contact_mail"]["x-hanro"]["note"]["ja"].startswith("マスクアドレス")
    filled = await bench.public.put(path, json={"values": GOOD})
    assert (filled.status_code, filled.json()["version"], filled.json()["values"]) == (200, 1, GOOD)
    mail = filled.json()["mail"]
    assert (mail["recipient"], mail["subject"]) == ("apply@example.invalid", "楽天API利用申請")
    assert mail["body"].splitlines() == [
        "・顧客社名:株式会社カナリア",
        "・店舗名:見本店",
        "・楽天ペイ利用:あり",
        "・店舗URL:https://www.example.invalid/mihon/",
        "・店舗連絡先メールアドレス:canary-contact@example.invalid",
        "・担当者連絡先電話番号:03-0000-9999",
        "・店舗担当者名:見本 カナリア花子",
    ]
    assert (await bench.public.put(path, json={"values": GOOD})).json()["version"] == 1
    moment = datetime.now(UTC).isoformat()
    sent = (await bench.public.post(f"{path}:sent", json={"at": moment})).json()
    assert (datetime.fromisoformat(sent["sent_at"]), sent["is_changed_since"]) == (
        datetime.fromisoformat(moment),
        False,
    )
    # Said twice, the first date stays; a changed sheet was not sent yet.
    assert (await bench.public.post(f"{path}:sent", json={})).json()["sent_at"] == sent["sent_at"]
    changed = (await bench.public.put(path, json={"values": GOOD | {"shop": "見本{company}店"}})).json()
    assert (changed["version"], changed["is_changed_since"], changed["sent_at"]) == (2, True, sent["sent_at"])
    assert "・店舗名:見本{company}店" in changed["mail"]["body"]
    kept = await kept_in(urls)
    assert not [text for text in PERSONAL if text.encode() in kept]


@pytest.mark.row("A20", kind="refuses")
@pytest.mark.row("A19", kind="refuses")
async def test_wrong_fields_are_named_and_nothing_is_stored(bench: Bench) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/application-sheet"
    early = await bench.public.post(f"{path}:sent", json={})
    assert (early.status_code, early.json()["code"]) == (409, "sheet-missing")
    for field, wrong in (
        ("contact_mail", "abc@shop.rakuten.co.jp"),
        ("contact_mail", "abc@SHOP.Rakuten.co.jp"),
        ("contact_mail", "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"),
        ("contact_mail", "nobody"),
        ("contact_mail", "ｓhop@example.invalid"),
        ("uses_pay", "yes"),
        ("shop_url", "ftp://example.invalid/"),
        ("phone", "０３-0000-0000"),
        ("phone", "call me"),
        ("person", " 花子"),
        ("person", "花\u200b子"),
        ("company", "会社\nBcc: x@example.invalid"),
        ("shop", ""),
        ("colour", "red"),
    ):
        answer = await bench.public.put(path, json={"values": GOOD | {field: wrong}})
        assert (answer.status_code, answer.json()["code"]) == (422, "sheet-malformed"), wrong
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"/values/{field}"], wrong
        assert not [text for text in (*PERSONAL, "Bcc") if text in answer.text]
    assert (await bench.public.get(path)).json()["version"] == 0
    assert await bench.fetch("select 1 from application_sheets") == []
    for at in ((datetime.now(UTC) + timedelta(days=1)).isoformat(), "2020-01-01T00:00:00Z"):
        await bench.public.put(path, json={"values": GOOD})
        assert (await bench.public.post(f"{path}:sent", json={"at": at})).status_code in {409, 422}
    assert (await bench.public.get(path)).json()["sent_at"] is None
    other = (await bench.link(marketplace_id="rakuten_france"))["id"]
    for method, suffix, body in (("GET", "", None), ("PUT", "", {"values": GOOD}), ("POST", ":sent", {})):
        absent = await bench.public.request(method, f"/v1/accounts/{other}/application-sheet{suffix}", json=body)
        assert (absent.status_code, absent.json()["code"]) == (501, "absent")
        assert absent.json()["remedy"]["ja"]
    # It names a person: readers and other shops do not see it.
    reader, stranger = bearer("accounts:read"), bearer(*SCOPES, shops=("shp_other",))
    assert (await bench.public.get(path, headers=reader)).status_code == 403
    assert (await bench.public.get(path, headers=stranger)).json()["code"] == "shop-not-yours"


async def test_twins_fill_in_one_after_the_other_a_strange_key_is_named_and_unlinking_erases(
    bench: Bench, urls: SchemaUrls
) -> None:
    account_id = (await bench.link())["id"]
    path = f"/v1/accounts/{account_id}/application-sheet"
    answers = await asyncio.gather(
        *(bench.public.put(path, json={"values": GOOD | {"shop": f"見本店{number}"}}) for number in range(4))
    )
    assert sorted(answer.json()["version"] for answer in answers) == [1, 2, 3, 4]
    other = Keyring({"other": bytes(32)}, current_id="other", index_key=bytes(range(32, 64)))
    async with open_bench(urls, keyring=other) as blind:
        closed = await blind.public.get(path)
        assert (closed.status_code, "test-1" in closed.json()["detail"]) == (503, True)
        assert (await blind.public.put(path, json={"values": GOOD})).json()["operator_note"]["ja"]
    async with bench.db.begin() as tx:
        await erase(tx, account_id)
    assert (await bench.public.get(path)).json()["version"] == 0


MASKS = [
    "shop.rakuten.co.jp",
    "SHOP.Rakuten.Co.JP",
    "pc.fw.rakuten.ne.jp",
    "IM.FW.RAKUTEN.NE.JP",
]


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(GOOD)),
    st.integers(1, 100),
    st.sampled_from(["\x00", "\x1b", "\x7f", "\u200b", "\u202e", "\u2028", "\ufeff"]),
    st.text(LETTERS, min_size=12, max_size=20),
    st.sampled_from(MASKS),
)
def test_what_is_masked_padded_or_holds_controls_never_passes(
    field: str, place: int, control: str, name: str, host: str
) -> None:
    assert SHEET is not None
    good = GOOD[field]
    place = min(place, len(good) - 1)
    for wrong in (good[:place] + control + good[place:], f" {good}", f"{good}\u3000"):
        found = check_fields(SHEET.fields, GOOD | {field: wrong}, date(2026, 6, 1))
        assert [fault.field for fault in found] == [field]
    found = check_fields(SHEET.fields, GOOD | {"contact_mail": f"{name}@{host}"}, date(2026, 6, 1))
    assert [(fault.field, fault.code) for fault in found] == [("contact_mail", "field-wrong")]
    assert name not in repr(found)
