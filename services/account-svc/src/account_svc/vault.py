"""Seals accounts' credentials for the database and opens them again; one envelope for all fields of one version."""

import json
from collections.abc import Mapping

from hanro import crypto
from hanro.crypto import Keyring

TABLE = "credentials"
FIELD = "sealed"


class Vault:
    """Hold the key-encryption keys under which this schema's credentials are sealed."""

    def __init__(self, keyring: Keyring, *, schema: str) -> None:
        self._keyring = keyring
        self._schema = schema

    def close(self, account_id: str, version: int, values: Mapping[str, str]) -> bytes:
        """Seal values for one account and version; nothing but the same place opens them again."""
        plaintext = json.dumps(dict(values), ensure_ascii=False).encode()
        return crypto.seal(
            self._keyring, plaintext, schema=self._schema, table=TABLE, row_id=account_id, field=FIELD, version=version
        )

    def open(self, account_id: str, version: int, sealed: bytes) -> dict[str, str]:
        """Open what was sealed for this account and version.

        Raises:
            KeyMissing: its key-encryption key is not mounted here.
            SealBroken: changed, or moved from another account or version.
        """
        plaintext = crypto.open_(
            self._keyring, sealed, schema=self._schema, table=TABLE, row_id=account_id, field=FIELD, version=version
        )
        opened: dict[str, str] = json.loads(plaintext)
        return opened
