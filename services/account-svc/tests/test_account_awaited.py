"""What was applied for at the marketplace and is not decided: the account waits for it, and says for what."""

import pytest
from account_bench import Bench, Json, Simulator, credentials_of, prepare

from account_svc.accounts import jobs
from account_svc.domain.checklist import can_be_awaited
from hanro.marketplace import installed
from hanro.marketplace.types import MarketplaceId

pytestmark = pytest.mark.schema("account", prepare)

NEEDED = "rpay.order.searchOrder"


async def without_orders(bench: Bench, market: Simulator) -> tuple[str, str]:
    """Link an account with a right key that may not search orders; gives its id and the shop's number."""
    shop, account_id = market.open_shop(), str((await bench.link())["id"])
    market.control(f"/shops/{shop['id']}/grants/{NEEDED}", "PUT", {"enabled": False})
    await bench.store(account_id, credentials_of(shop))
    async with bench.db.begin() as tx:
        # The key is no longer so young that nobody could tell.
        await tx.execute("update credentials set stored_at = stored_at - interval '1 day'")
    return account_id, str(shop["id"])


async def tick(bench: Bench, account_id: str, item: str, state: str) -> None:
    answer = await bench.public.put(f"/v1/accounts/{account_id}/checklist/{item}", json={"state": state})
    assert answer.status_code == 200, answer.text


async def checked(bench: Bench, account_id: str) -> Json:
    """Do what is due, and look at the account."""
    await bench.check_due(jobs.PREFLIGHT)
    return await bench.show(account_id)


@pytest.mark.row("A8", kind="walks")
@pytest.mark.row("A11", kind="walks")
async def test_a_draft_waits_for_what_was_applied_for_and_works_once_it_is_there(
    bench: Bench, market: Simulator
) -> None:
    account_id, number = await without_orders(bench, market)
    assert (await checked(bench, account_id))["reason"]["code"] == "grant-missing"
    await tick(bench, account_id, "bulk_editing", "applied")
    waiting = await checked(bench, account_id)
    assert (waiting["state"], waiting["label"]["ja"]) == ("pending_approval", "無効")
    assert (waiting["reason"]["code"], waiting["reason"]["grant_id"]) == ("approval-awaited", NEEDED)
    step = waiting["next_step"]
    assert step["text"]["ja"].startswith("CSV商品一括編集の契約: ")
    assert (step["prerequisite_id"], step["step_ids"]) == ("bulk_editing", ["bulk_editing"])
    assert step["menu"]["steps"][-1] == "3.オプション機能利用申込・解約"
    # Decided, and still refused: it is the seller's turn again.
    await tick(bench, account_id, "bulk_editing", "contracted")
    missing = await checked(bench, account_id)
    assert (missing["state"], missing["reason"]["code"]) == ("draft", "grant-missing")
    await tick(bench, account_id, "bulk_editing", "applied")
    assert (await checked(bench, account_id))["state"] == "pending_approval"
    market.control(f"/shops/{number}/grants/{NEEDED}", "PUT", {"enabled": True})
    await bench.public.post(f"/v1/accounts/{account_id}:preflight")
    assert (await checked(bench, account_id))["state"] == "active"


@pytest.mark.row("A11", kind="refuses")
async def test_a_dead_key_waits_for_nobody_and_what_is_optional_is_not_waited_for(
    bench: Bench, market: Simulator
) -> None:
    account_id, number = await without_orders(bench, market)
    await tick(bench, account_id, "sub_user", "awaiting_approval")
    await tick(bench, account_id, "order_download", "applied")
    shown = await checked(bench, account_id)
    assert (shown["state"], shown["reason"]["code"]) == ("draft", "grant-missing")
    await tick(bench, account_id, "bulk_editing", "applied")
    market.control(f"/shops/{number}/keys/revoke", "POST")
    await bench.public.post(f"/v1/accounts/{account_id}:preflight")
    dead = await checked(bench, account_id)
    assert (dead["state"], dead["reason"]["code"]) == ("draft", "credential-refused")


async def test_a_tick_of_a_draft_without_credentials_has_nothing_checked(bench: Bench) -> None:
    account_id = str((await bench.link())["id"])
    await tick(bench, account_id, "bulk_editing", "applied")
    assert await bench.check_due() == 0


def test_of_all_items_those_are_waited_for_that_a_marketplace_decides_before_anything_works() -> None:
    guide = installed()[MarketplaceId("rakuten_ichiba")].guide
    waited_for = [one.id for one in guide.prerequisites if can_be_awaited(one) and one.states[1:-1]]
    assert waited_for == ["bulk_editing", "developer_access"]
