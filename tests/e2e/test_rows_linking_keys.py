"""When a key ends and who is told, and a new key that is none: REST to the journal."""

import re
from datetime import datetime, timedelta

import pytest
from row_shops import KEY_LIVES, Row

from hanro_local.demo.api import until

SECONDS = 60.0
LOOK_UP = "license.expiryDate"
THRESHOLD = 3


async def is_told(row: Row) -> bool:
    return bool(await row.facts("credential_expiring"))


@pytest.mark.row("A13", kind="walks")
async def test_the_end_of_a_key_is_read_there_shown_told_once_and_counted(working: Row) -> None:
    await until(SECONDS, lambda: is_told(working))
    credentials = (await working.seller.account())["credentials"]
    there = datetime.fromisoformat((await working.simulator("GET", ""))["license_expires_at"])
    [end] = credentials["expiries"]
    assert (end["field"], end["source"]) == ("license_key", "read")
    assert datetime.fromisoformat(end["expires_at"]) == there
    ending = credentials["ending"]
    assert (ending["days_left"], ending["next_warning_days"]) == (KEY_LIVES.days, 1)
    assert there - datetime.fromisoformat(ending["next_warning_at"]) == timedelta(days=1)
    [fact] = await working.facts("credential_expiring")
    assert (fact["threshold_days"], fact["field"], fact["source"]) == (THRESHOLD, "license_key", "read")
    metrics = (await working.doors.internal["account-svc"].call("GET", "/metrics")).text
    [told] = re.findall(
        rf'^hanro_account_key_warnings_total{{threshold_days="{THRESHOLD}"}} (\S+)$', metrics, re.MULTILINE
    )
    assert float(told) >= 1
    asked = [one for one in await working.seller.requests() if "license" in one["path"]]
    assert {(one["method"], one["status"], one["has_effect"]) for one in asked} == {("GET", 200, False)}


@pytest.mark.row("A13", kind="refuses")
async def test_a_look_up_that_is_not_permitted_is_shown_with_since_when_and_nobody_guesses_an_end(draft: Row) -> None:
    await draft.simulator("PUT", f"/grants/{LOOK_UP}", {"enabled": False})
    await draft.ask("POST", ":disable")
    await draft.seller.enter()
    await draft.age_key()
    await draft.ask("POST", ":enable")
    await draft.became(is_working=True)

    async def has_failed() -> bool:
        return (await draft.seller.account())["credentials"]["expiry_failure"] is not None

    await until(SECONDS, has_failed)
    credentials = (await draft.seller.account())["credentials"]
    failure = credentials["expiry_failure"]
    assert (failure["code"], failure["is_alarming"], credentials["expiries"]) == ("grant-missing", False, [])
    assert (failure["first_at"], bool(failure["text"])) == (failure["last_at"], True)
    # It fails for hours: an alarm, long before the day is over.
    await draft.look_behind(
        "update account.expiry_failures set first_at = first_at - interval '2 hours' where account_id = $1"
    )
    await draft.look_behind(
        "update account.due set next_at = now() where account_id = $1 and job = 'key-expiries' and lease_until is null"
    )

    async def is_alarming() -> bool:
        return bool((await draft.seller.account())["credentials"]["expiry_failure"]["is_alarming"])

    await until(SECONDS, is_alarming)
    assert await draft.facts("credential_expiring") == []


@pytest.mark.row("A14", kind="refuses")
async def test_a_new_key_that_the_marketplace_refuses_takes_over_nothing_and_orders_go_on(working: Row) -> None:
    wrong = f"{working.seller.shop['license_key'][:-4]}0000"
    began = await working.seller.place_in_journal()
    await working.seller.enter(license_key=wrong)

    async def is_tried() -> bool:
        slots = (await working.seller.account())["credentials"]["slots"]
        return {one["slot"]: one["state"] for one in slots} == {"in_use": "works", "second": "settling"}

    await working.hurry(SECONDS, is_tried)
    early = await working.ask("POST", "/credentials/candidate:promote", expected=(409,))
    assert (early["code"], bool(early["remedy"]["ja"])) == ("key-settling", True)
    refused = [one for one in await working.seller.requests(began) if one["status"] == 401]
    assert 0 < len(refused) <= 3
    # What it is refused with holds up nothing that is done with the key in use.
    breakers = f"/v1/account/breakers?account_id={working.seller.account_id}"
    open_ones = (await working.doors.hanro.call("GET", breakers)).json()["items"]
    assert [one for one in open_ones if one["open_until"]] == []
    number = await working.seller.sell()
    await until(SECONDS, lambda: working.seller.stored(number))
    shown = await working.seller.account()
    assert (shown["is_working"], shown["credentials"]["slots"][1]["reason"]["marketplace"]["code"]) == (True, "GA0001")
    assert wrong not in str(shown) + str(early)
    await working.ask("DELETE", "/credentials/candidate")
    await working.ask("DELETE", "/credentials/candidate", expected=(404,))
    slots = (await working.seller.account())["credentials"]["slots"]
    assert [(one["slot"], one["state"]) for one in slots] == [("in_use", "works")]
    assert await working.facts("credential_rotated") == []
