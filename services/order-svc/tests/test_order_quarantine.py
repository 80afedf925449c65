"""Proves that an order waits for the mapping of its lines, is released by it alone, and holds nobody else up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import asyncpg
import pytest
from order_playground import KEY_FIELDS, Playground, activated, count, means_for, prepare, recorded, tell
from order_sightings import NOON, account, line, seen, unreadable

from hanro import effects
from hanro.clock import SystemClock
from hanro.db import Database, Transaction
from hanro.errors import Rejected
from hanro.events.accounts import AccountUnlinking
from hanro.events.envelope import Received
from hanro.events.listings import ListingAdopted
from hanro.ids import new_id
from hanro.marketplace import match_key
from hanro.marketplace.types import Line, OrderStatus, SeenOrder, Sighting
from hanro.testing.callers import fixed_keyring
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import accounts, orders
from order_svc.consumers import on_listings
from order_svc.domain.decisions import check_acceptable
from order_svc.domain.orders import Order
from order_svc.domain.quarantine import Catalogue, find_unmapped, keys_of, release
from order_svc.domain.reconcile import reconcile
from order_svc.poller import Poller
from order_svc.store.lists import Filter
from order_svc.store.mappings import find_mapped

pytestmark = pytest.mark.schema("orders", prepare)

LATER = NOON + timedelta(minutes=5)


def adopted(number: str = "1", *, version: int = 1, account_id: str = "acc_1", epoch: int = 1) -> ListingAdopted:
    """Give the fact that what `line(number)` sells is mapped."""
    keys = dict(line(number).keys)
    return ListingAdopted(
        id=f"lst_{account_id}_{number}_{epoch}",
        version=version,
        at=NOON,
        account_id=account_id,
        account_epoch=epoch,
        marketplace_id="playground",
        keys=keys,
        match_key=match_key(KEY_FIELDS, keys) or "",
        sku=f"SKU-{number}",
    )


async def hear(db: Database, *facts: ListingAdopted) -> None:
    received = [Received(fact, headers=(("ce_id", new_id("evt").encode()),)) for fact in facts]
    effect = await db.run(lambda tx: effects.put(tx, on_listings(SystemClock(), {}), received))
    assert effect.failures == {}


async def see(db: Database, *sightings: Sighting) -> None:
    known = await accounts.find(db, "acc_1")
    assert known is not None
    await orders.ingest_fetched(db, fixed_keyring(), sightings, account=known, plugin=Playground().plugin(), at=LATER)


async def stored(db: Database) -> dict[str, Order]:
    async with db.begin() as tx:
        found = await orders.list_(tx, Filter(), before_id=None, limit=2000)
    return {one.order.external_id: one.order for one in found}


async def told(db: Database) -> list[str]:
    return [kind.removeprefix("hanro.order.").removesuffix(".v1") for kind, _ in await recorded(db)]


def order(*lines: Line, mapped: Sequence[str] | None, known: Order | None = None, **changes: Any) -> Order:
    """Reconcile one sighting with these lines where these line numbers are mapped (None: the account maps nothing)."""
    keys = None if mapped is None else keys_of(KEY_FIELDS, [line(number).keys for number in mapped])
    catalogue = None if keys is None else Catalogue(key_fields=KEY_FIELDS, mapped=frozenset(keys))
    sighting = seen(lines=lines, **changes)
    change = reconcile(known, sighting, account=account(), route="placed", at=sighting.seen_at, catalogue=catalogue)
    assert change is not None
    return change.order


@pytest.mark.row("P3", kind="walks")
@pytest.mark.row("O7", kind="walks")
async def test_an_unmapped_line_holds_its_order_until_the_fact_of_its_mapping_alone_releases_it(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    await see(db, seen(lines=(line("1"), line("2"))))
    (held,) = (await stored(db)).values()
    assert (held.is_quarantined, held.quarantine_code, list(held.unmapped)) == (True, "unmapped-line", ["2"])
    assert "tea-2" in (held.quarantine_why or "")
    assert [one.quantity for one in held.lines] == [1, 1]
    assert held.totals["total"].amount == "2480"
    # No poller runs.
    await hear(db, adopted("2"))
    (free,) = (await stored(db)).values()
    assert (free.is_quarantined, free.quarantine_code, free.unmapped, free.version) == (False, None, {}, 2)
    assert await told(db) == ["quarantined", "released"]
    await hear(db, adopted("2", version=2))
    assert await told(db) == ["quarantined", "released"]


async def test_an_order_that_waits_for_two_lines_is_released_by_the_last(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    await see(db, seen(lines=(line("1"), line("2"), line("3"))))
    await hear(db, adopted("2"))
    (held,) = (await stored(db)).values()
    assert list(held.unmapped) == ["3"]
    await hear(db, adopted("3"))
    assert await told(db) == ["quarantined", "changed", "released"]


async def test_both_lines_that_are_mapped_at_once_release_once(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    await see(db, seen(lines=(line("2"), line("3"))))
    await hear(db, adopted("2"), adopted("3"))
    assert await told(db) == ["quarantined", "released"]


@pytest.mark.row("O7", kind="refuses")
def test_an_order_that_is_held_back_is_not_accepted() -> None:
    held = order(line("2"), mapped=["1"])
    with pytest.raises(Rejected) as refused:
        check_acceptable(held)
    assert refused.value.code == "order-quarantined"
    assert refused.value.remedy is not None
    assert "SKU" in refused.value.remedy.ja
    free, _ = release(held, frozenset({key for key in held.unmapped.values() if key}), LATER) or (held, None)
    check_acceptable(free)


async def test_an_account_that_maps_nothing_holds_nothing_back(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("2", account_id="acc_other"))
    await see(db, seen())
    assert await told(db) == ["placed"]


async def test_a_held_order_that_is_seen_again_changes_nothing_and_is_read_out_whole(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    for minute in range(3):
        await see(db, seen(lines=(line("2"),), at=NOON + timedelta(minutes=minute)))
    assert await told(db) == ["quarantined"]


async def test_a_held_order_follows_its_marketplace_and_is_free_once_nothing_of_it_is_open(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    await see(db, seen(lines=(line("2"),)))
    await see(db, seen(lines=(line("2", status=OrderStatus.READY),), at=LATER))
    await see(db, seen(lines=(line("2", status=OrderStatus.CANCELLED),), at=LATER + timedelta(minutes=1)))
    assert await told(db) == ["quarantined", "confirmed", "released"]
    (free,) = (await stored(db)).values()
    assert (free.status, free.is_quarantined) == ("cancelled", False)


async def test_a_held_order_that_turns_unreadable_waits_for_both(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    await see(db, seen(lines=(line("2"),)))
    await see(db, unreadable(at=LATER))
    (broken,) = (await stored(db)).values()
    assert broken.quarantine_code == "unknown-status"
    await hear(db, adopted("2"))
    await see(db, seen(lines=(line("2"),), at=LATER + timedelta(minutes=1)))
    assert await told(db) == ["quarantined", "quarantined", "released"]


async def test_mappings_of_an_older_link_release_nothing_and_are_forgotten(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    await see(db, seen(lines=(line("2"),)))
    unlinking = activated(2, account_epoch=2, state="unlinking")
    await tell(db, AccountUnlinking.model_validate(unlinking.model_dump()))
    await hear(db, adopted("2"))
    assert await told(db) == ["quarantined"]
    async with db.begin() as tx:
        await accounts.erase(tx, "acc_1")
    assert await count(db, "mappings") == 0
    # Linked again and without a mapping, the account uses no catalogue: the next sighting lets the order go.
    await tell(db, activated(3, account_epoch=2))
    await see(db, seen(lines=(line("2"),), at=LATER))
    assert await told(db) == ["quarantined", "released"]


@pytest.mark.parametrize("turn", range(10))
async def test_a_mapping_that_comes_while_its_order_is_stored_never_leaves_it_held(db: Database, turn: int) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))

    async def map_meanwhile() -> None:
        await asyncio.sleep(turn / 500)
        await hear(db, adopted("2"))

    await asyncio.gather(see(db, *(seen(f"n-{number}", lines=(line("2"),)) for number in range(40))), map_meanwhile())
    assert not [one for one in (await stored(db)).values() if one.is_quarantined]


@pytest.mark.row("P4", kind="walks")
async def test_one_bad_order_in_a_thousand_stops_nothing(db: Database) -> None:
    await tell(db, activated())
    playground = Playground()
    playground.buy(*(seen(f"n-{number:04}") for number in range(999)))
    playground.buy(replace(seen("n-0500"), notes={"remarks": "\ud83c"}, raw=b"half a surrogate"))
    playground.buy(unreadable("bad-1"))
    await Poller(means_for(db, playground, FixedClock(NOON))).poll_due(asyncio.Event())
    found = await stored(db)
    assert len(found) == 1000
    assert sorted(number for number, one in found.items() if one.is_quarantined) == ["bad-1", "n-0500"]


async def test_a_key_that_cannot_be_stored_holds_its_order_and_no_other(db: Database) -> None:
    await tell(db, activated())
    await hear(db, adopted("1"))
    odd = replace(line("2"), keys={"manage_number": "tea\ud83c", "variant_id": "x"})
    nul = replace(line("3"), keys={"manage_number": "tea\x00\n", "variant_id": "x"})
    await see(db, seen("n-1", lines=(odd,), raw=b"1"), seen("n-2", lines=(nul,)), seen("n-3"))
    found = await stored(db)
    assert [found[number].quarantine_code for number in ("n-1", "n-2", "n-3")] == ["unreadable", "unmapped-line", None]


class Explaining:
    """Be a transaction that notes the plan of what is fetched before it is."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.plan = ""

    async def fetch(self, sql: str, *args: object) -> object:
        """Explain, then fetch."""
        self.plan = "\n".join(row[0] for row in await self._tx.fetch(f"explain {sql}", *args))
        return await self._tx.fetch(sql, *args)


@pytest.mark.parametrize(("account_id", "found"), [("acc_2", frozenset()), ("acc_3", None)])
async def test_an_account_s_mappings_are_looked_for_without_reading_those_of_others(
    db: Database, urls: SchemaUrls, account_id: str, found: frozenset[str] | None
) -> None:
    owner = await asyncpg.connect(urls.owner, server_settings={"search_path": urls.schema})
    try:
        await owner.execute("""
            insert into mappings (account_id, match_key, account_epoch, listing_id, sku)
            select 'acc_' || account, 'key-' || n, 1, 'lst_' || n, 'SKU-' || n
            from generate_series(1, 2) as account, generate_series(1, 3000) as n
        """)
        await owner.execute("analyze mappings")
    finally:
        await owner.close()
    async with db.begin() as tx:
        explaining = Explaining(tx)
        assert await find_mapped(cast("Transaction", explaining), account_id, ["none"], account_epoch=1) == found
    assert "Seq Scan" not in explaining.plan, explaining.plan


def test_a_line_without_a_key_waits_and_says_so() -> None:
    held = order(replace(line("2"), keys={"manage_number": "  "}), mapped=["1"])
    assert held.unmapped == {"2": None}
    assert "has no key" in (held.quarantine_why or "")


def test_what_went_through_before_the_first_mapping_is_not_held_back_later() -> None:
    before = order(line("2"), mapped=None)
    assert not before.is_quarantined
    after = order(line("2", status=OrderStatus.READY), mapped=["1"], known=before, at=LATER)
    assert not after.is_quarantined
    with_more = order(line("2"), line("3"), mapped=["1"], known=before, at=LATER)
    assert list(with_more.unmapped) == ["3"]


@pytest.mark.parametrize("status", [OrderStatus.SHIPPED, OrderStatus.COMPLETED, OrderStatus.CANCELLED])
def test_a_line_that_needs_no_stock_any_more_needs_no_mapping(status: OrderStatus) -> None:
    assert not order(line("2", status=status), mapped=["1"]).is_quarantined


def test_many_lines_are_named_by_the_first_five() -> None:
    held = order(*(line(str(number)) for number in range(2, 12)), mapped=["1"])
    assert "and 5 more" in (held.quarantine_why or "")
    assert len(held.unmapped) == 10


def test_lines_are_found_by_their_folded_key() -> None:
    shouted = replace(line("1"), keys={"manage_number": "TEA-1", "variant_id": "normal-inventory"})
    sighting: SeenOrder = seen(lines=(shouted,))
    assert not order(*sighting.lines, mapped=["1"]).is_quarantined
    assert find_unmapped(order(shouted, mapped=None).lines, None, None) == {}
