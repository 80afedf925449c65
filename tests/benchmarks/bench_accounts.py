"""Gives benchmarks account-svc as its process has it, and accounts that work."""

from pathlib import Path

from account_svc.app import SERVICE
from account_svc.settings import AccountSettings
from account_svc.vault import Vault
from hanro.db import Transaction
from hanro.service import Parts, open_parts
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls

SCHEMA = "account"
VALUES = {"service_secret": "SP000000_0000000000000000", "license_key": "SL000000_0000000000000000"}


def settings(url: str) -> AccountSettings:
    """Give settings that name a database and nothing else that is there."""
    return AccountSettings(database_url=url, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/nonexistent"))


def parts(urls: SchemaUrls) -> Parts:
    """Give what account-svc builds upon."""
    return open_parts(SERVICE, settings(urls.runtime), keyring=fixed_keyring())


async def fill(tx: Transaction, count: int) -> list[str]:
    """Make accounts that work, each with credentials, and give their ids."""
    vault = Vault(fixed_keyring(), schema=SCHEMA)
    ids = [f"acc_{number:026}" for number in range(count)]
    await tx.execute(
        f"""
        insert into accounts (id, marketplace_id, display_name, shop_ids, state, is_enabled, grants,
            lost_capabilities, credential_version, epoch, version, created_at, changed_at)
        select id, 'rakuten_ichiba', '見本店', array['shp_1'], 'active', true, '[]', array[]::text[], 1, 0, 1,
            now, now from unnest($1::text[]) id, (select {tx.now_sql} as now) clock
        """,  # noqa: S608  the schema's own clock
        ids,
    )
    await tx.execute(
        f"""
        insert into credentials (account_id, version, registration_id, field_names, sealed, stored_at, stored_by)
        select id, 1, 'own_application', array['service_secret', 'license_key'], sealed, {tx.now_sql}, 'bench'
        from unnest($1::text[], $2::bytea[]) as t (id, sealed)
        """,  # noqa: S608  the schema's own clock
        ids,
        [vault.close(one, 1, VALUES) for one in ids],
    )
    return ids
