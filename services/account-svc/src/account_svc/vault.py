"""Seals accounts' credentials for the database and opens them again; one envelope for all fields of one version.

The installation's own values, which the operator supplies once for all sellers, stand in a mounted file.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from hanro import crypto
from hanro.crypto import Keyring
from hanro.log import logger
from hanro.rewrapping import SealedTable

TABLE = "credentials"
FIELD = "sealed"
SEALED = (
    SealedTable(name=TABLE, key="account_id", column=FIELD, version="version"),
    # What takes over moves from one table to the other as it is.
    SealedTable(name="spare_credentials", key="account_id", column=FIELD, version="version", sealed_as=TABLE),
    SealedTable(name="application_sheets", key="account_id", column=FIELD, version="version"),
)

_VALUES = TypeAdapter(dict[str, dict[str, str]])
_log = logger(__name__)


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


class Installation:
    """Hold the installation's own values by marketplace and field; a file that changed is read when it is used.

    One that cannot be read any more leaves the values that were read last.
    """

    def __init__(self, file: Path | None) -> None:
        """Read the file; None: there are no such values.

        Raises:
            ValueError: it cannot be read, or is of another shape; no value is repeated.
        """
        self._file = file
        self._seen = self._mark()
        self._values = {} if file is None else _read(file)

    def of(self, marketplace_id: str) -> Mapping[str, str]:
        """Give the values of a marketplace by field; empty where there are none."""
        mark = self._mark()
        if mark != self._seen and self._file is not None:
            self._seen = mark
            try:
                self._values = _read(self._file)
            except ValueError:
                _log.error("installation.unreadable", path=str(self._file))
        return self._values.get(marketplace_id, {})

    def _mark(self) -> tuple[int, int, int] | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        return _VALUES.validate_python(json.loads(file.read_bytes()))
    except (OSError, ValueError, ValidationError):
        # The cause would quote the file.
        raise ValueError(f"{file} holds no JSON of marketplace -> field -> value") from None
