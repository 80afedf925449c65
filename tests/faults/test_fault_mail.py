"""Takes the mail relay away: mails wait where it can be seen, none is doubled, and all leave once it is back."""

import asyncio

import pytest
from fault_checks import Sighted, differences, look, quiet
from fault_forms import form
from fault_health import RELAY, await_server, read_all, same_processes, statuses
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault
NOTIFIER = ("notifier-svc",)
# An account's messages wait longer after each failure in a row, up to five minutes.
HEAL_SECONDS = 60.0


async def test_a_relay_that_is_away_at_start_is_a_metric_and_mails_leave_when_it_comes(
    stack: FaultStack, shop: Shop
) -> None:
    stack.proxies.smtp.is_refusing = True
    pid = stack.kill("notifier-svc")
    await asyncio.to_thread(stack.await_back, "notifier-svc", pid)
    with same_processes(stack):
        await shop.place(2)
        await await_server(stack, RELAY, is_up=False, names=NOTIFIER)
        assert await quiet(stack, shop, HEAL_SECONDS, is_mail_awaited=False) == ""
        seen = await look(stack, shop, is_log_wanted=False)
        assert not seen.mails
        assert _states(seen) == {"planned"}
        assert await _shown_states(shop) == {"planned"}
        assert await statuses(stack, "/readyz") == {200}
        assert {answer.status_code for answer in await read_all(shop)} == {200}
        stack.proxies.smtp.is_refusing = False
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
        await await_server(stack, RELAY, is_up=True, names=NOTIFIER)
        assert _states(await look(stack, shop)) == {"handed_over"}


@pytest.mark.fault(is_long=True)
async def test_a_relay_that_goes_away_while_mails_leave_doubles_none(stack: FaultStack, shop: Shop) -> None:
    with same_processes(stack):
        for _ in range(form(short=1, whole=6)):
            stack.proxies.smtp.latency_seconds = 0.05
            await shop.place(8)
            while not (await look(stack, shop, is_log_wanted=False)).mails:
                await asyncio.sleep(0.1)
            stack.proxies.smtp.is_refusing = True
            stack.reset(stack.proxies.smtp)
            await await_server(stack, RELAY, is_up=False, names=NOTIFIER)
            stack.proxies.smtp.heal()
            assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
    assert sum((await look(stack, shop)).mails.values()) >= 1


def _states(seen: Sighted) -> set[str]:
    return {message["state"] for message in seen.messages}


async def _shown_states(shop: Shop) -> set[str]:
    page = (await shop.hanro.call("GET", f"/v1/messages?account_id={shop.account_id}")).json()
    return {message["state"] for message in page["items"]}
