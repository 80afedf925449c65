"""A shop of a developer's application, from the first mail to the day on which its events come: REST to the journal."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from row_shops import Row

from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 60.0
TOKYO = ZoneInfo("Asia/Tokyo")
LOOK_UP = "license.expiryDate"
DAYS_LEFT, THRESHOLD = 5, 7
START_DAY = re.compile(r"利用開始予定日時:(\d{4})/(\d{2})/(\d{2})")


@pytest.fixture
def supplied(shared_stack: Stack) -> Iterator[Path]:
    """Give the file of what the operator supplies for all shops; afterwards it holds what it held before."""
    file = shared_stack.state / "installation" / "secrets.json"
    before = file.read_text()
    yield file
    put(file, before)


def put(file: Path, text: str) -> None:
    """Put a file in the place of the one before, as a mounted secret is exchanged: all at once."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def developer(row: Row, **typed: str) -> dict[str, object]:
    """Give what a seller types whose application is a developer's: the licence key, its end, the mail's login."""
    values = {name: text for name, text in row.seller.form()["values"].items() if name != "service_secret"}
    return {"registration": "developer_application", "values": values | typed}


async def step_of(row: Row, item: str) -> dict[str, Any]:
    """Give the last step of an item of the guide."""
    listed = (await row.ask("GET", "/checklist?registration=developer_application"))["items"]
    steps: list[dict[str, Any]] = next(one for one in listed if one["prerequisite"]["id"] == item)["steps"]
    return steps[-1]


async def newest_notice(row: Row) -> dict[str, Any]:
    """Give the mail that the marketplace wrote to the shop last."""
    found: dict[str, Any] = (await row.simulator("GET", "/notices"))["notices"][-1]
    return found


async def is_warned(row: Row) -> bool:
    return bool(await row.facts("credential_expiring"))


def moment(shown: Any) -> datetime:
    return datetime.fromisoformat(str(shown))


@pytest.mark.row("A5", kind="walks")
@pytest.mark.row("A9", kind="walks")
@pytest.mark.row("A12", kind="walks")
@pytest.mark.row("A13", kind="walks")
async def test_a_developer_s_shop_is_approved_twice_and_its_events_come_from_nine_o_clock(
    draft: Row, supplied: Path
) -> None:
    await _first_approval(draft)
    await _key_of_the_shop_and_secret_of_the_operator(draft, supplied)
    start_day = (datetime.now(TOKYO) + timedelta(days=3)).date().isoformat()
    await _second_approval(draft, start_day)
    # Approved after nine of its day: it is nine of the day behind the approval.
    await _second_approval(draft, datetime.now(TOKYO).date().isoformat())


async def _first_approval(row: Row) -> None:
    step = await step_of(row, "developer_access")
    applicant = step["entries"][0]
    assert applicant["label"] == "企業名"
    await row.tick("developer_access", "applied")
    wish = {"company": applicant["value"], "start_day": "2099-01-01"}
    await row.simulator("POST", "/event-notification/apply", wish)
    came = await newest_notice(row)
    assert (came["subject"], wish["company"] in came["body"]) == (step["mail"]["subject"], True)
    assert "contact the marketplace" in step["traps"][-1]["en"]
    assert step["links"][-1]["menu"]["steps"][-1] == "WEB APIサービス窓口"
    waiting = await row.tick("developer_access", "awaiting_approval")
    assert (waiting["label"]["ja"], waiting["is_done"]) == ("承認待ち", False)
    await row.simulator("POST", "/event-notification/approve-access")
    assert (await row.tick("developer_access", "approved"))["is_done"]
    assert "This alone enables stock, shipments and polling" in step["text"]["en"]


async def _key_of_the_shop_and_secret_of_the_operator(row: Row, supplied: Path) -> None:
    await row.simulator("PUT", f"/grants/{LOOK_UP}", {"enabled": False})
    secret = row.seller.shop["service_secret"]
    put(supplied, json.dumps({"rakuten_ichiba": {"service_secret": secret}}))
    ends_on = (datetime.now(UTC) + timedelta(days=DAYS_LEFT)).date().isoformat()
    await row.ask("POST", ":disable")
    await row.ask("PUT", "/credentials", developer(row, license_expires_on=ends_on))
    await row.age_key()
    await row.ask("POST", ":enable")
    shown = await row.became(is_working=True)
    stored = {one["name"]: one["is_stored"] for one in shown["credentials"]["fields"]}
    assert (shown["credentials"]["registration"], stored["service_secret"]) == ("developer_application", False)
    assert (stored["license_key"], stored["smtp_id"], stored["smtp_password"]) == (True, True, True)
    asked = await row.seller.requests()
    assert [one for one in asked if one["status"] == 401] == []
    assert "/es/2.0/order/searchOrder/" in {f"{one['path'].rstrip('/')}/" for one in asked}
    # The look-up is not permitted, so the typed day is what is known, and it warns like one that was read.
    await until(SECONDS, lambda: is_warned(row))
    [end] = (await row.seller.account())["credentials"]["expiries"]
    assert (end["field"], end["source"], end["expires_local"]) == ("license_key", "typed", ends_on)
    assert [fact["threshold_days"] for fact in await row.facts("credential_expiring")] == [THRESHOLD]
    assert secret not in str(await row.seller.account())


async def _second_approval(row: Row, start_day: str) -> None:
    step = await step_of(row, "developer_notices")
    wish = {"company": step["entries"][0]["value"], "start_day": start_day}
    await row.simulator("POST", "/event-notification/apply", wish)
    await row.simulator("POST", "/event-notification/approve", expected=(409,))
    await row.simulator("POST", "/event-notification/approve-access")
    await row.simulator("POST", "/event-notification/check")
    came = await newest_notice(row)
    assert came["subject"] == step["mail"]["subject"]
    typed = START_DAY.search(came["body"])
    assert typed is not None
    day = "-".join(typed.groups())
    assert day == start_day
    waiting = await row.tick("developer_notices", "awaiting_approval", start_day=day)
    assert (waiting["label"]["ja"], waiting["is_effective_final"], waiting["start_day"]) == ("承認待ち", False, day)
    there = await row.simulator("POST", "/event-notification/approve")
    done = await row.tick("developer_notices", "approved", start_day=day, at=there["approved_at"])
    assert (moment(done["effective_at"]), done["is_effective_final"]) == (moment(there["effective_at"]), True)
    assert moment(done["effective_at"]).astimezone(TOKYO).time().isoformat() == "09:00:00"
    shown = (await row.seller.account())["checklist"]
    assert moment(shown["effective_at"]) == moment(there["effective_at"])


@pytest.mark.row("A5", kind="refuses")
async def test_what_the_operator_has_not_supplied_or_belongs_to_the_other_way_is_refused(draft: Row) -> None:
    lacking = await draft.ask("PUT", "/credentials", developer(draft), expected=(409,))
    assert (lacking["code"], lacking["errors"][0]["pointer"]) == ("installation-incomplete", "/registration")
    assert "service_secret" in lacking["detail"]
    assert lacking["remedy"]["ja"]
    both = developer(draft, service_secret=draft.seller.shop["service_secret"])
    strange = await draft.ask("PUT", "/credentials", both, expected=(422,))
    assert [one["pointer"] for one in strange["errors"]] == ["/values/service_secret"]
    unknown = {"registration": "colour", "values": {}}
    told = await draft.ask("PUT", "/credentials", unknown, expected=(422,))
    assert [one["pointer"] for one in told["errors"]] == ["/registration"]
    assert all(way in told["detail"] for way in ("own_application", "developer_application"))
    assert (await draft.seller.account())["credentials"]["version"] == 0
    assert await draft.seller.requests() == []
