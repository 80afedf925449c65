"""Gathers what can be seen of a demo from outside: the marketplace's truth and journal, the mails, REST and Kafka."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from hanro_local.demo.api import Api
from hanro_local.demo.checker.log import Event, read_all

JOURNAL_PAGE = 10_000
REST_PAGE = 100

Entry = dict[str, Any]


@dataclass(frozen=True)
class Places:
    """Say where to look: base URLs, a token for REST, Kafka's address, and the shop by its marketplace's number."""

    gateway: str
    token: str
    simulator: str
    kafka: str
    shop_number: str
    account_id: str


@dataclass(frozen=True)
class Seen:
    """Be all that was seen; trees are the marketplace's orders by number, everything else is as it was answered."""

    trees: dict[str, Entry]
    requests: list[Entry]
    refused_for_rate: int
    mails: list[Entry]
    orders: list[Entry]
    reservations: list[Entry]
    stock: list[Entry]
    messages: list[Entry]
    accounts: list[Entry]
    events: list[Event]


async def look(places: Places) -> Seen:
    """Look at everything once.

    Raises:
        Refused: an answer was not as expected; ValueError: a record that nobody can read.
        httpx.HTTPError, TimeoutError: no answer.
    """
    async with httpx.AsyncClient(trust_env=False) as client:
        simulator = Api(client, places.simulator)
        rest = Api(client, places.gateway, places.token)
        trees = (await simulator.call("GET", f"/_sim/shops/{places.shop_number}/orders")).json()["orders"]
        limits = (await simulator.call("GET", "/_sim/limits")).json()
        account = f"account_id={places.account_id}&limit={REST_PAGE}"
        orders, reservations, stock, messages, accounts, events = await asyncio.gather(
            _listed(rest, f"/v1/orders?{account}"),
            _listed(rest, f"/v1/reservations?{account}"),
            _listed(rest, f"/v1/stock?limit={REST_PAGE}"),
            _listed(rest, f"/v1/messages?{account}"),
            _listed(rest, f"/v1/accounts?limit={REST_PAGE}"),
            read_all(places.kafka),
        )
        return Seen(
            trees={order["external_id"]: order["tree"] for order in trees},
            requests=await _following(simulator, "journal?kind=request", "entries", JOURNAL_PAGE),
            refused_for_rate=sum(group["refused"] for group in limits["groups"]),
            mails=await _following(simulator, "mails?", "mails", REST_PAGE),
            orders=orders,
            reservations=reservations,
            stock=stock,
            messages=messages,
            accounts=accounts,
            events=events,
        )


async def _listed(rest: Api, path: str) -> list[Entry]:
    return [dict(entry) async for entry in rest.pages(path)]


async def _following(simulator: Api, path: str, member: str, limit: int) -> list[Entry]:
    """Read a list of the simulator's to its end: each page names the number to ask after."""
    entries: list[Entry] = []
    after = 0
    while True:
        page = (await simulator.call("GET", f"/_sim/{path}&after={after}&limit={limit}")).json()
        entries += page[member]
        if len(page[member]) < limit:
            return entries
        after = page["next"]
