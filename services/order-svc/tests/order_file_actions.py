"""Lets a shop take order files in, at any time and in any mode, and holds what became of it against the rules."""

import asyncio
import json
from typing import Any

import order_deeds as deeds
from order_downloads import Download, Mode, Told, Wish, taken
from order_world import World, dies

from hanro.events.orders import UNMAPPED_LINE
from hanro_rakuten_ichiba.plugin import plugin
from order_svc import buyers, imports
from order_svc.importer import Importer
from order_svc.imports import Asked, Upload

# What a file does not change about an order that the marketplace has shown.
KEPT = ("status", "document", "sheet", "is_quarantined", "is_backfilled", "reserves_stock", "is_from_file")
NEWS = 0.6


async def download(world: World) -> bool:
    """Download orders, for now or for later."""
    layout = "old" if world.has_old_files else "new"
    async with world.means.db.statements() as db:
        alone = await db.fetch(
            "select external_id from orders where account_id = $1 and is_from_file order by 1", world.account_id
        )
    known = [row["external_id"] for row in alone]
    found = taken(await world.download(layout), layout, world.dice, known)
    if found is None:
        return False
    world.downloads.append(found)
    return True


async def update(world: World) -> bool:
    """Take a file in, old or new, so that its blanks keep what is there."""
    await _perhaps_with_news(world)
    wish = _drawn(world, "update")
    return wish is not None and await take_in(world, wish)


async def overwrite(world: World) -> bool:
    """Take a file in, old or new, so that its blanks clear what it covers."""
    await _perhaps_with_news(world)
    wish = _drawn(world, "overwrite")
    return wish is not None and await take_in(world, wish)


async def try_out(world: World) -> bool:
    """Take a file in as a dry run."""
    wish = _drawn(world, world.dice.choice(("update", "overwrite")), is_dry_run=True)
    return wish is not None and await take_in(world, wish)


async def repeat(world: World) -> bool:
    """Take the file that came last in once more on the same terms: it changes nothing, unless others came between."""
    if world.last_file is None:
        return False
    wish, then = world.last_file
    before = await _orders(world, wish.download)
    await take_in(world, wish)
    after = await _orders(world, wish.download)
    world.found += [
        f"{number}: the same file changed it"
        for number in before
        if after[number] != before[number] and before[number]["version"] == then.get(number)
    ]
    return True


async def die(world: World) -> bool:
    """Take a file in, die between two transactions or within one, and let the next process go on after a while."""
    wish = _drawn(world, world.dice.choice(("update", "overwrite")))
    if wish is None:
        return False
    await _upload(world, wish)
    point = world.dice.choice(("imports.before_commit", "imports.after_commit"))
    if not await dies(point, world.dice.choice((1, 2)), _importer(world).take_next(asyncio.Event())):
        raise AssertionError("a file that is taken in passes that point twice")
    is_seen = world.dice.random() < 0.5
    if is_seen:
        # The marketplace shows the orders before the file is through.
        await world.fetch(list(wish.download.said))
    async with world.means.db.statements() as db:
        await db.execute("update imports set lease_until = null where account_id = $1", world.account_id)
    await _importer(world).take_next(asyncio.Event())
    await _check_done(world)
    if not is_seen:
        await _follow(world, wish)
    return True


async def take_in(world: World, wish: Wish) -> bool:
    """Take a file in, and note what is wrong then."""
    before = await _orders(world, wish.download)
    await _upload(world, wish)
    await _importer(world).take_next(asyncio.Event())
    await _check_done(world)
    after = await _orders(world, wish.download)
    if wish.is_dry_run:
        world.found += [f"{number}: a dry run stored it" for number in after if after[number] != before.get(number)]
        return True
    for number, order in before.items():
        if not order["is_from_file"]:
            changed = [name for name in KEPT if order[name] != after[number][name]]
            world.found += [f"{number}: a file changed {name}" for name in changed]
    await _follow(world, wish)
    world.last_file = wish, {number: order["version"] for number, order in after.items()}
    return True


async def check_told(world: World) -> None:
    """Note where an order that files alone told of does not stand as they said."""
    async with world.means.db.begin() as tx:
        rows = await tx.fetch(
            """
            select id, external_id, sheet::text as sheet, reserves_stock, work_state, erased_at, quarantine_code
            from orders where account_id = $1 and is_from_file order by external_id
            """,
            world.account_id,
        )
        personal = await buyers.personal_of(tx, world.means.keyring, [row["id"] for row in rows])
    for row in rows:
        number = row["external_id"]
        if row["quarantine_code"] not in {None, UNMAPPED_LINE}:
            continue
        told = world.told.get(number)
        if told is None:
            world.found.append(f"{number}: no file told of it")
            continue
        packages = json.loads(row["sheet"])["packages"]
        notes = personal.get(row["id"], {}).get("notes", {})
        ours = Told(
            noshi=packages[0]["noshi"] or "", memo=notes.get("memo") or "", reserves_stock=row["reserves_stock"]
        )
        if row["erased_at"] is not None:
            told = Told(reserves_stock=told.reserves_stock)
        if ours != told:
            world.found.append(f"{number}: files told {told}, stored is {ours}")
        if row["work_state"] == "new":
            world.found.append(f"{number}: a file left it new")


async def _perhaps_with_news(world: World) -> None:
    """Perhaps let files alone tell of an order, and have one more to come: later looks show most orders soon."""
    if world.dice.random() < NEWS:
        await deeds.place(world)
        await download(world)
        mode: Mode = world.dice.choice(("update", "overwrite"))
        await take_in(world, Wish(download=world.downloads[-1], mode=mode, reserves_stock=world.dice.random() < 0.4))
        await download(world)


def _drawn(world: World, mode: Mode, *, is_dry_run: bool = False) -> Wish | None:
    if not world.downloads:
        return None
    # Mostly the newest; an old one may come at any time.
    chosen = world.downloads[-1] if world.dice.random() < 0.6 else world.dice.choice(world.downloads)
    return Wish(download=chosen, mode=mode, reserves_stock=world.dice.random() < 0.4, is_dry_run=is_dry_run)


def _importer(world: World) -> Importer:
    return Importer(world.means.db, world.means.keyring, world.means.plugins, world.means.clock)


async def _upload(world: World, wish: Wish) -> None:
    upload = Upload(world.means.db, world.means.keyring)
    await upload.begin()
    await upload.take(wish.download.content)
    await upload.end()
    asked = Asked(
        account_id=world.account_id,
        mode=wish.mode,
        is_dry_run=wish.is_dry_run,
        reserves_stock=wish.reserves_stock,
    )
    async with world.means.db.begin() as tx:
        await imports.accept(tx, {plugin.id: plugin}, upload, asked, account_ids=None, by="player")


async def _check_done(world: World) -> None:
    async with world.means.db.statements() as db:
        rows = await db.fetch(
            "delete from imports where account_id = $1 returning state, row_count, done_count, refused_count",
            world.account_id,
        )
    for row in rows:
        if (row["state"], row["done_count"], row["refused_count"]) != ("done", row["row_count"], 0):
            world.found.append(f"an import ended as {tuple(row)}")


async def _follow(world: World, wish: Wish) -> None:
    """Note what files have told now, and hold what is stored against it."""
    for number, order in (await _orders(world, wish.download)).items():
        if order["is_from_file"] and order["erased_at"] is None:
            told = world.told.get(number, Told())
            world.told[number] = told.and_then(
                wish.download.said[number], wish.mode, reserves_stock=wish.reserves_stock
            )
        elif order["is_from_file"]:
            told = world.told.get(number, Told())
            world.told[number] = Told(reserves_stock=told.reserves_stock or wish.reserves_stock)
    await check_told(world)


async def _orders(world: World, wanted: Download) -> dict[str, dict[str, Any]]:
    async with world.means.db.statements() as db:
        rows = await db.fetch(
            """
            select external_id, version, status, document::text as document, sheet::text as sheet, is_quarantined,
                is_backfilled, reserves_stock, is_from_file, erased_at
            from orders where account_id = $1 and external_id = any($2::text[])
            """,
            world.account_id,
            list(wanted.said),
        )
    return {row["external_id"]: dict(row) for row in rows}
