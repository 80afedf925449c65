"""Keeps what the local token issuer must remember: its signing key, and its clients with their secrets and scopes.

Both are made at the first start and stay in the state folder, readable by its owner alone. Source: RFC 7638.
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

NOUNS = (
    "shops",
    "accounts",
    "marketplaces",
    "products",
    "listings",
    "stock",
    "orders",
    "shipments",
    "documents",
    "templates",
    "bindings",
    "messages",
    "alerts",
    "webhooks",
)
PUBLIC_SCOPES = (*(f"{noun}:{verb}" for noun in NOUNS for verb in ("read", "write")), "orders:personal", "orders:raw")
DEFAULT_CLIENTS: Mapping[str, tuple[str, ...]] = {
    "account-svc": (),
    "catalog-svc": ("internal:credentials",),
    "order-svc": ("internal:credentials",),
    "notifier-svc": ("internal:credentials", "internal:contact"),
    "demo": PUBLIC_SCOPES,
    "ops": ("ops", *(f"{noun}:read" for noun in NOUNS)),
}


class Client(BaseModel):
    """What stands in `clients.json` under a client id; `shops` is `["*"]` for all shops."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: Annotated[str, Field(repr=False, min_length=1)]
    scopes: tuple[str, ...]
    shops: tuple[str, ...] = ("*",)


_CLIENTS = TypeAdapter(dict[str, Client])


@dataclass(frozen=True)
class SigningKey:
    """An ES256 key and its id, the thumbprint of RFC 7638."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    id: str


def _create_once(file: Path, content: bytes) -> None:
    """Write a file of mode 0600 unless it exists; of two concurrent writers one wins and no reader sees half a file."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def open_signing_key(directory: Path) -> SigningKey:
    """Read the key in `directory`, made at the first call."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / "key.pem"
    if not file.exists():
        fresh = ec.generate_private_key(ec.SECP256R1())
        pem = fresh.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _create_once(file, pem)
    private = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{file} holds no elliptic-curve key: remove it to have a new one made")
    members = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    required = json.dumps({name: members[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(required.encode()).digest()).rstrip(b"=").decode()
    return SigningKey(private=private, id=thumbprint)


def open_clients(directory: Path) -> dict[str, Client]:
    """Read the clients in `directory`; at the first call the default ones are made with random secrets.

    Raises:
        ValueError: clients.json was edited into something else.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / "clients.json"
    if not file.exists():
        fresh = {
            name: Client(secret=secrets.token_urlsafe(32), scopes=scopes) for name, scopes in DEFAULT_CLIENTS.items()
        }
        _create_once(file, _CLIENTS.dump_json(fresh, indent=2) + b"\n")
    try:
        return _CLIENTS.validate_json(file.read_bytes())
    except ValidationError as broken:
        # Not chained: pydantic's message repeats the input, and that holds secrets.
        places = ", ".join(".".join(map(str, error["loc"])) or "the file" for error in broken.errors())
        raise ValueError(f"{file} cannot be read at: {places}") from None
