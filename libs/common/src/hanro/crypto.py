"""Seals what must not be read from the database: AES-256-GCM envelopes, key-encryption keys by id, blind indexes.

A sealed value is one envelope with a data key of its own, wrapped by a key-encryption key whose id stands in it. What
belongs to one row is sealed as one value: a row has one data key.
"""

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORMAT = b"H1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_WRAPPED_BYTES = _KEY_BYTES + 16
_INDEX_KEY = "index"
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
# Made once: `json.dumps` with separators makes one each time, at thrice the cost of the writing.
_TEXT_OF = json.JSONEncoder(separators=(",", ":")).encode


class CannotOpen(Exception):
    """Say that a sealed value stays closed, and by which key it was sealed ("" where even that cannot be read)."""

    def __init__(self, why: str, *, key_id: str) -> None:
        super().__init__(why)
        self.key_id = key_id


class KeyMissing(CannotOpen):
    """Say that the key-encryption key of a sealed value is not in the keyring; `key_id` names it."""


class SealBroken(CannotOpen):
    """Say that a sealed value was changed, moved to another place, or sealed by another key of the same id."""


class Keyring:
    """Hold the key-encryption keys by id, which of them seals, and the key that other keys are derived from."""

    __slots__ = ("_folder", "_index_key", "_keys", "current_id")

    def __init__(
        self, keys: Mapping[str, bytes], *, current_id: str, index_key: bytes, folder: Path | None = None
    ) -> None:
        for name, key in (*keys.items(), (_INDEX_KEY, index_key)):
            if not _ID.fullmatch(name) or len(key) != _KEY_BYTES:
                raise ValueError(
                    f"key {name!r}: an id of lower-case letters, digits and hyphens, and {_KEY_BYTES} bytes"
                )
        if current_id not in keys:
            raise ValueError(f"key {current_id!r} is to seal but is not there")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._index_key = index_key
        self._folder = folder
        self.current_id = current_id

    @classmethod
    def load(cls, directory: Path) -> "Keyring":
        """Read the keys of a mounted folder: `<id>.key` holds 64 hexadecimal digits.

        `index.key` is the key that others are derived from; it never changes. `current` names the id that seals; it may
        be missing while there is one key alone. To rotate: mount the new key everywhere, then name it, then `rewrap`.
        A key that is mounted later is found when something sealed by it is opened; which one seals is read once.

        Raises:
            ValueError: a key that is missing or malformed; names the file, never its content.
        """
        keys = {file.stem: _read_key(file) for file in sorted(directory.glob("*.key"))}
        index_key = keys.pop(_INDEX_KEY, None)
        if index_key is None or not keys:
            raise ValueError(f"{directory} needs {_INDEX_KEY}.key and a key-encryption key")
        named = directory / "current"
        if not named.exists() and len(keys) > 1:
            raise ValueError(f"{named} must name one of the keys {', '.join(keys)}")
        current_id = named.read_text().strip() if named.exists() else next(iter(keys))
        return cls(keys, current_id=current_id, index_key=index_key, folder=directory)

    def derived(self, purpose: str) -> bytes:
        """Give the 32 bytes for one purpose ("orders.buyer-email", "cursors"); the same ones each time."""
        return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(self._index_key)

    def key(self, key_id: str) -> AESGCM:
        """Give a key-encryption key.

        Raises:
            KeyMissing: no such key here.
        """
        found = self._keys.get(key_id) or self._mounted_later(key_id)
        if found is None:
            raise KeyMissing(f"the key-encryption key {key_id!r} is not in the keyring", key_id=key_id)
        return found

    def _mounted_later(self, key_id: str) -> AESGCM | None:
        # Another process may seal with it already: a refusal would last until somebody restarts this one.
        if self._folder is None or key_id == _INDEX_KEY or not _ID.fullmatch(key_id):
            return None
        try:
            self._keys[key_id] = AESGCM(_read_key(self._folder / f"{key_id}.key"))
        except (OSError, ValueError):
            return None
        return self._keys[key_id]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(sorted(self._keys))}; current {self.current_id})"


def seal(
    keyring: Keyring, plaintext: bytes, *, schema: str, table: str, row_id: str, field: str, version: int
) -> bytes:
    """Seal a value for one place; nothing but the same place opens it again.

    `version` is the row's, as it is stored with the sealed value. Sealing twice gives different bytes.
    """
    place = _place(schema, table, row_id, field, version)
    # Drawn at once: each draw is a call of the system.
    drawn = secrets.token_bytes(_KEY_BYTES + _NONCE_BYTES)
    data_key, nonce = drawn[:_KEY_BYTES], drawn[_KEY_BYTES:]
    return _wrap(keyring, data_key, place) + nonce + AESGCM(data_key).encrypt(nonce, plaintext, _FORMAT + place)


def open_(keyring: Keyring, sealed: bytes, *, schema: str, table: str, row_id: str, field: str, version: int) -> bytes:
    """Open a sealed value in the place that it was sealed for.

    Raises:
        KeyMissing: its key-encryption key is not in the keyring.
        SealBroken: changed, cut, or moved from another place. Nothing of it is given out.
    """
    place = _place(schema, table, row_id, field, version)
    key_id, data_key, rest = _unwrap(keyring, sealed, place)
    try:
        return AESGCM(data_key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _FORMAT + place)
    except (InvalidTag, ValueError) as error:
        raise _broken(key_id) from error


def rewrap(keyring: Keyring, sealed: bytes, *, schema: str, table: str, row_id: str, field: str, version: int) -> bytes:
    """Wrap the data key by the current key-encryption key; the value itself is not opened.

    What the current key wrapped already comes back as it is.

    Raises:
        KeyMissing: its key-encryption key is not in the keyring.
        SealBroken: changed, cut, or moved from another place.
    """
    place = _place(schema, table, row_id, field, version)
    key_id, data_key, rest = _unwrap(keyring, sealed, place)
    return sealed if key_id == keyring.current_id else _wrap(keyring, data_key, place) + rest


def key_id_of(sealed: bytes) -> str:
    """Tell which key-encryption key wrapped a sealed value's data key.

    Raises:
        SealBroken: not a sealed value.
    """
    length = sealed[len(_FORMAT)] if len(sealed) > len(_FORMAT) and sealed.startswith(_FORMAT) else 0
    name = sealed[len(_FORMAT) + 1 : len(_FORMAT) + 1 + length].decode("ascii", "replace")
    if not _ID.fullmatch(name) or len(name) != length:
        raise SealBroken("this is not a sealed value", key_id="")
    return name


class BlindIndex:
    """Give digests by which exact texts are found that are not stored; `key` is `Keyring.derived` for their field."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        # Keyed once: to find the algorithm and to take in the key costs more than a name's own bytes.
        self._keyed = HMAC(key, hashes.SHA256())

    def digest(self, text: str) -> bytes:
        """Give 32 bytes; width, compatibility forms, letter case and runs of blanks do not count (NFKC, folded)."""
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        mac = self._keyed.copy()
        mac.update(" ".join(folded.split()).encode())
        return mac.finalize()


def _read_key(file: Path) -> bytes:
    try:
        return bytes.fromhex(file.read_text().strip())
    except ValueError:
        # The cause would quote the key.
        raise ValueError(f"{file} must hold {_KEY_BYTES * 2} hexadecimal digits") from None


def _place(schema: str, table: str, row_id: str, field: str, version: int) -> bytes:
    # JSON keeps the parts apart, whatever stands in them.
    return _TEXT_OF([schema, table, row_id, field, version]).encode()


def head_of(key_id: str) -> bytes:
    """Give the bytes that every sealed value begins with whose data key this key-encryption key wrapped."""
    return _FORMAT + bytes([len(key_id)]) + key_id.encode()


def _wrap(keyring: Keyring, data_key: bytes, place: bytes) -> bytes:
    head = head_of(keyring.current_id)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + keyring.key(keyring.current_id).encrypt(nonce, data_key, head + place)


def _unwrap(keyring: Keyring, sealed: bytes, place: bytes) -> tuple[str, bytes, bytes]:
    key_id = key_id_of(sealed)
    head = head_of(key_id)
    start, end = len(head) + _NONCE_BYTES, len(head) + _NONCE_BYTES + _WRAPPED_BYTES
    try:
        data_key = keyring.key(key_id).decrypt(sealed[len(head) : start], sealed[start:end], head + place)
    except (InvalidTag, ValueError) as error:
        raise _broken(key_id) from error
    return key_id, data_key, sealed[end:]


def _broken(key_id: str) -> SealBroken:
    return SealBroken(f"a value sealed by {key_id!r} was changed or belongs to another place", key_id=key_id)
