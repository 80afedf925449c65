"""Fills schemas as they stand after a million orders; rows are short, their numbers, keys and spread are real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from hanro_local.databases import SchemaUrls

ACCOUNTS = 20
SECONDS = 600.0
_WORDS = {
    "{accounts}": f"{ACCOUNTS}",
    # Of each account some are open.
    "{account}": f"'acc_' || (n + n / 50) % {ACCOUNTS}",
    # One in fifty is open, one in fifty on its way: the rest is history.
    "{status}": "case when n % 50 = 0 then 'new' when n % 50 = 1 then 'shipped' else 'completed' end",
    "{at}": "timestamptz '2026-05-11 03:00+00' - ($1::int - n) * interval '1 second'",
}
FILLS = {
    "orders": (
        # Ids as orders have them that were found when they were placed.
        "create temp table numbered (n int, born text)",
        """
        insert into numbered
        select n, 'ord_' || (
            select string_agg(
                substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((ms >> bit) & 31)::int + 1, 1), '' order by bit desc
            ) from generate_series(0, 45, 5) as bit
        ) || lpad(n::text, 16, '0')
        from generate_series(1, $1::int) as n
        cross join lateral (select extract(epoch from {at})::bigint * 1000 as ms) t
        """,
        # An order that was really taken in before gives its lines to all; without one they have none.
        """
        create temp table sample as select * from (
            select 1 as place, document from orders
            union all select 2, '{"lines":[],"milestones":{},"holds":[],"totals":{}}'
        ) known order by place limit 1
        """,
        """
        insert into orders (id, account_id, account_epoch, marketplace_id, external_id, version, status, work_state,
            placed_at, placed_local, first_seen_by, seen_at, is_quarantined, quarantine_code, is_backfilled, is_test,
            decide_by, is_placed_apart, document, sheet, raw_hash, reading_hash, created_at, changed_at, followed_at)
        select born, {account}, 1, 'rakuten_ichiba', 'past-' || n, 1, {status},
            case when n % 50 = 0 then 'new' else 'shipped' end,
            case when n % 1000 = 9 then {at} - interval '5 days' else {at} end, '', 'placed', {at}, n % 5000 = 3,
            case when n % 5000 = 3 then 'unmapped-line' end, false, n % 5000 = 5,
            case when n % 5000 = 0 then {at} + interval '30 days' end, n % 1000 = 9, sample.document, '{}',
            sha256(n::text::bytea), ''::bytea, {at}, {at}, {at}
        from numbered, sample
        """,
        """
        insert into accounts (id, version, epoch, marketplace_id, display_name, state, is_enabled, credential_version,
            shop_ids)
        select 'acc_' || n - 1, 1, 1, 'rakuten_ichiba', '', 'active', true, 1, array['shp_' || n % 4]
        from generate_series(1, {accounts}) as n on conflict do nothing
        """,
        """
        insert into mappings (account_id, account_epoch, match_key, listing_id, sku)
        select 'acc_' || account, 1, '["tea-' || n || '","normal-inventory"]', 'lst_' || n, 'SKU-' || n
        from generate_series(0, $1::int / 50 - 1) as n, generate_series(0, 4) as account
        """,
        """
        insert into operations (id, kind, subject_id, account_id, status, asked, asked_by, accepted_at, changed_at)
        select 'opr_' || lpad(n::text, 26, '0'), 'ship', born, {account},
            case when n % 1000 = 7 then 'rejected' else 'applied' end, '{}', 'user', {at}, {at}
        from numbered where n % 50 > 0
        """,
        """
        insert into buyers (order_id, version, sealed)
        select born, 1, 'x'::bytea from numbered
        """,
        """
        insert into archive (position, event_id, topic, type, source, key, headers, value, published_at)
        select n, 'evt_' || n, 'hanro.orders', 'hanro.order.placed.v1', '/order-svc', 'ord_' || n, '{}', 'x'::bytea,
            orders.now()
        from generate_series(1, $1::int) as n
        """,
        "update archive_position set last = $1::int",
        """
        insert into raw_orders (order_id, version, sealed)
        select born, 1, 'x'::bytea from numbered
        """,
        """
        insert into order_terms (kind, value, order_id)
        select kind, value, born from numbered
        cross join lateral (values
            ('sku', 'tea-' || n % ($1::int / 50)), ('sku', 'normal-inventory'), ('tracking', n::text)
        ) as t (kind, value)
        """,
        """
        insert into buyer_terms (kind, digest, order_id)
        select kind, sha256(convert_to(value, 'UTF8')), born from numbered
        cross join lateral (values
            ('phone', n::text), ('name', case when n % 50 = 1 then '見本花子' else 'name-' || n / 3 end)
        ) as t (kind, value)
        """,
        """
        insert into consumers (name, known_since)
        select name, orders.now() from unnest(array['erp', 'wms', 'oms', 'pos']) as name
        """,
        # Each system has a list of its own: one keeps up, for one that came lately all orders wait. One that catches
        # up, the newest first, has the oldest before it; one of a single shop what it never sees, of all the others.
        """
        insert into unacknowledged (consumer, account_id, order_id)
        select 'erp', {account}, born from numbered where n % 50 = 1
        union all select 'wms', {account}, born from numbered
        union all select 'oms', {account}, born from numbered where n <= $1::int / 3
        union all select 'pos', {account}, born from numbered where (n + n / 50) % 4 <> 1
        """,
    ),
    "catalog": (
        "insert into products (code, title, version) select 'p' || n, '', 1 from generate_series(1, $1::int / 50) as n",
        """
        insert into variants (sku, product_code, place, title)
        select 'sku-' || n, 'p' || n, 1, '' from generate_series(1, $1::int / 50) as n
        """,
        """
        insert into stock (id, sku, on_hand) select 'stk_' || n, 'sku-' || n, 1000
        from generate_series(1, $1::int / 50) as n
        """,
        """
        insert into accounts (id, marketplace_id, state) select {account}, 'rakuten_ichiba', 'active'
        from generate_series(1, least($1::int, {accounts})) as n
        """,
        """
        insert into listings (id, account_id, match_key, keys, sku, version)
        select 'lst_' || n, {account}, 'towel-' || n, '{}', 'sku-' || n, 1
        from generate_series(1, $1::int / 50) as n
        """,
        """
        insert into reservations (order_id, line_id, account_id, external_id, placed_at, match_key, title, sku, wanted,
            reserved, shipped)
        select 'ord_' || lpad(n::text, 26, '0'), 'lin_' || n, {account}, 'past-' || n, {at},
            'towel-' || 1 + n % ($1::int / 50), '', 'sku-' || 1 + n % ($1::int / 50), 0, 0, 1
        from generate_series(1, $1::int) as n
        """,
    ),
    "notifier": (
        """
        insert into accounts (id, version, epoch, marketplace_id, display_name, state, is_enabled, credential_version,
            shop_ids)
        select {account}, 1, 1, 'rakuten_ichiba', '', 'active', true, 1, array['shp_1']
        from generate_series(1, least($1::int, {accounts})) as n
        """,
        """
        insert into messages (id, account_id, account_epoch, marketplace_id, order_id, order_external_id, trigger,
            occurrence, channel, template, state, milestone_at, planned_at, expires_at, changed_at, next_at, version,
            attempt, failure_count)
        select 'msg_' || lpad(n::text, 26, '0'), {account}, 1, 'rakuten_ichiba', 'ord_' || lpad(n::text, 26, '0'),
            'past-' || n, 'new_order', 1, 'relay', 't', case when n % 1000 = 0 then 'planned' else 'handed_over' end,
            {at}, {at}, {at} + interval '1 year', {at}, case when n % 1000 = 0 then {at} end, 1, 1, 0
        from generate_series(1, $1::int) as n
        """,
    ),
}
_INDEXES = """
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index join pg_class on pg_class.oid = indrelid
    where relnamespace = current_schema()::regnamespace and relkind = 'r' and not relispartition
        and not indisunique
"""
_INBOX = """
    insert into inbox (consumer, aggregate_id, version)
    select $2, 'ord_' || lpad(n::text, 26, '0'), 1 from generate_series(1, $1::int) as n
"""


async def fill(admin_url: str, urls: SchemaUrls, count: int, *, consumer: str | None = None) -> None:
    """Fill a schema with what `count` orders left, its inbox too where a consumer is named, and tell the planner.

    `admin_url` is the superuser's, of the same database: foreign keys are not looked at row by row.
    """
    connection = await asyncpg.connect(admin_url, timeout=SECONDS, command_timeout=SECONDS)
    try:
        await connection.execute(
            f"""
            set search_path = "{urls.schema}"; set session_replication_role = replica; set synchronous_commit = off;
            set maintenance_work_mem = '256MB'
            """
        )
        async with _made_anew(connection):
            for statement in FILLS[urls.schema]:
                for word, sql in _WORDS.items():
                    statement = statement.replace(word, sql)  # noqa: PLW2901  the same statement, spelt out
                await connection.execute(statement, *([count] if "$1" in statement else []))
            if consumer is not None:
                await connection.execute(_INBOX, count, consumer)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close(timeout=SECONDS)


@asynccontextmanager
async def _made_anew(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Leave the schema's indexes away meanwhile, but what keeps rows unique: to sort once is a third of the time."""
    found = await connection.fetch(_INDEXES)
    for row in found:
        await connection.execute(f"drop index {row['name']}")
    yield
    for row in found:
        await connection.execute(row["definition"])
