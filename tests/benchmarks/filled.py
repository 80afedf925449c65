"""Fills schemas as they stand after a million orders; rows are short, their numbers, keys and spread are real."""

import asyncpg

from hanro_local.databases import SchemaUrls

ACCOUNTS = 20
SECONDS = 600.0
_WORDS = {
    "{accounts}": f"{ACCOUNTS}",
    "{account}": f"'acc_' || n % {ACCOUNTS}",
    # One in fifty is open, one in fifty on its way: the rest is history.
    "{status}": "case when n % 50 = 0 then 'new' when n % 50 = 1 then 'shipped' else 'completed' end",
    "{at}": "timestamptz '2026-05-11 03:00+00' - n * interval '1 second'",
}
FILLS = {
    "orders": (
        """
        insert into orders (id, account_id, account_epoch, marketplace_id, external_id, version, status, work_state,
            placed_at, placed_local, first_seen_by, seen_at, is_quarantined, is_backfilled, is_test, document, sheet,
            raw_hash, reading_hash, created_at, changed_at, followed_at)
        select 'ord_' || lpad(n::text, 26, '0'), {account}, 1, 'rakuten_ichiba', 'past-' || n, 1, {status}, 'new',
            {at}, '', 'placed', {at}, false, false, false,
            '{"lines":[],"milestones":{},"holds":[],"totals":{}}', '{}', sha256(n::text::bytea), ''::bytea,
            {at}, {at}, {at}
        from generate_series(1, $1::int) as n
        """,
        """
        insert into buyers (order_id, version, sealed)
        select 'ord_' || lpad(n::text, 26, '0'), 1, 'x'::bytea from generate_series(1, $1::int) as n
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
        select 'ord_' || lpad(n::text, 26, '0'), 1, 'x'::bytea from generate_series(1, $1::int) as n
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
            f'set search_path = "{urls.schema}"; set session_replication_role = replica; set synchronous_commit = off'
        )
        for statement in FILLS[urls.schema]:
            for word, sql in _WORDS.items():
                statement = statement.replace(word, sql)  # noqa: PLW2901  the same statement, spelt out
            await connection.execute(statement, *([count] if "$1" in statement else []))
        if consumer is not None:
            await connection.execute(_INBOX, count, consumer)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close(timeout=SECONDS)
