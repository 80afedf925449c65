"""Secrets and buyers go through the whole path and leave nothing behind that anybody could read."""

import json
from pathlib import Path
from typing import Any

import pytest
from canary_places import places
from canary_search import hits
from canary_story import BUYER, PLAIN, REFUSED, REQUEST, UNREADABLE, WRONG_KEY, Story, tell
from running_stack import Doors, Linked, doors

from hanro_local.demo import tokens
from hanro_local.demo.api import Api
from hanro_local.stack import Stack

MAY_QUOTE_REQUESTS = (
    # Postgres' own log and files quote the rows that a table refuses.
    *("log/postgres.log", "database/base", "database/pg_wal"),
)


def secrets_of(running: Stack, linked: Linked, token: str) -> dict[str, str]:
    """Gather every secret of the stack, by what it is."""
    state = running.state
    given = {name: linked.shop.credentials[name] for name in ("service_secret", "license_key", "smtp_password")}
    roles: dict[str, str] = json.loads((state / "postgres" / "roles.json").read_text())
    clients: dict[str, dict[str, Any]] = json.loads((state / "issuer" / "clients.json").read_text())
    return {
        **given,
        "both keys": f"{given['service_secret']}:{given['license_key']}",
        **roles,
        **{f"client {name}": client["secret"] for name, client in clients.items()},
        **{file.name: file.read_text().strip() for file in (state / "keys").iterdir()},
        "superuser": Path(state / "postgres" / "password").read_text(),
        "token": token.rpartition(".")[2],
    }


async def drop_letters(running: Stack, opened: Doors) -> None:
    """Leave the stack to others as it was."""
    for service in ("catalog", "notifier"):
        ops = Api(opened.hanro.client, running.gateway, tokens.mint(running.state, ("ops",)))
        for letter in (await ops.call("GET", f"/v1/{service}/dead-letters")).json()["items"]:
            await ops.call("DELETE", f"/v1/{service}/dead-letters/{letter['id']}")
    await opened.simulator.call("DELETE", "/_sim/faults")


async def assert_told(opened: Doors, linked: Linked, story: Story) -> None:
    """See that the canaries flew: an order shows its buyer, a mail names it, one order could not be read."""
    shown = (await opened.hanro.call("GET", f"/v1/orders/{story.ids[PLAIN]}")).json()
    assert BUYER["kanji"] in json.dumps(shown["personal"], ensure_ascii=False)
    assert (await opened.hanro.call("GET", f"/v1/orders/{story.ids[UNREADABLE]}")).json()["quarantine"]
    mails = (await opened.simulator.call("GET", "/_sim/mails?limit=1000")).text
    assert story.numbers[PLAIN] in mails
    assert story.numbers[REFUSED] not in mails
    faults = (await opened.simulator.call("GET", "/_sim/faults")).json()
    assert all(dial["hits"] for dial in faults["faults"]), faults
    assert linked.account.granted_count


@pytest.mark.row("O16", kind="walks")
@pytest.mark.row("X2", kind="refuses")
async def test_canaries_of_the_whole_path_are_found_nowhere(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        try:
            story = await tell(shared_stack, opened, linked)
            await assert_told(opened, linked, story)
            secrets = secrets_of(shared_stack, linked, opened.hanro.token)
            looked_into = [*await places(shared_stack), *story.problems]
        finally:
            await drop_letters(shared_stack, opened)
    names = {place for place, _ in looked_into}
    assert {"log/order-svc.log", "order-svc/trace.jsonl", "notifier-svc/trace.jsonl", "orders.orders"} <= names
    assert {"topic/hanro.orders", "metrics/account-svc", "account.credentials"} <= names

    found = hits(looked_into, secrets | BUYER | {"wrong key": WRONG_KEY})
    assert found == {}

    quoted = hits(looked_into, {"request": REQUEST}).get("request", set())
    assert {place for place in quoted if not place.startswith(MAY_QUOTE_REQUESTS)} == set()
