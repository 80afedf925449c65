"""Says what every service is told by its environment: `HANRO_…` variables, secrets from files.

The process fails at start, naming every field that is missing or wrong; a value is never repeated.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hanro import failpoints as points

PREFIX = "HANRO_"
REFUSED = 2


def _from_json(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("it must be a JSON object") from None


# Decoded by a validator: pydantic-settings would stop at the first map that is no JSON, and name no other field.
JsonMap = Annotated[dict[str, str], NoDecode, BeforeValidator(_from_json)]


class CommonSettings(BaseSettings):
    """Hold what all services are told; each subclasses it in its settings.py."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: str = Field(repr=False)
    """Runtime role's address, postgresql://…."""
    owner_database_url: str | None = Field(default=None, repr=False)
    """Owner role's address; only `migrate` needs it."""
    pool_size: int = Field(default=5, ge=1, le=50)
    """How many connections to the database the process may hold."""
    kafka_bootstrap: str = "127.0.0.1:9092"
    topic_prefix: str = ""
    group_prefix: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    internal_port: int = Field(default=8081, ge=0, le=65535)
    issuer: str
    """The `iss` that access tokens must carry."""
    jwks_url: str
    jwks_ca_file: Path | None = None
    """PEM of the authority that signed the key set's server; None trusts the machine's."""
    jwks_token_file: Path | None = None
    """Bearer token for the key set (Kubernetes); re-read at each fetch."""
    audience: str = "hanro"
    subject_scopes: JsonMap = Field(default_factory=dict)
    """JSON: subject -> scopes separated by blanks, for tokens that carry none (Kubernetes projected tokens)."""
    keys_dir: Path
    """Folder of the key-encryption keys."""
    account_url: str = "http://127.0.0.1:8081"
    """Base URL of account-svc's internal port."""
    order_url: str = "http://127.0.0.1:8081"
    """Base URL of order-svc's internal port."""
    account_token_file: Path | None = None
    order_token_file: Path | None = None
    """Tokens for one callee each, mounted by Kubernetes and renewed in place; None: ask `token_url` for one."""
    client_id: str = ""
    client_secret_file: Path | None = None
    token_url: str = ""
    marketplace_urls: JsonMap = Field(default_factory=dict)
    """JSON: marketplace id -> base URL, where it is not the marketplace's own."""
    mail_relays: JsonMap = Field(default_factory=dict)
    """JSON: "host:port" of a relay -> "host:port" to connect to instead."""
    mail_relay_ca_file: Path | None = None
    clock_offset_file: Path | None = None
    """Tests only: file that holds the seconds by which wall time is moved."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    trace_file: Path | None = None
    """Where spans are written to, as lines of JSON; None keeps tracing off."""
    requests_per_minute: int = Field(default=600, ge=1)
    """How many public requests a caller may make in a minute, per process."""
    failpoints: str = ""
    """Tests only: see hanro.failpoints."""

    @field_validator("failpoints")
    @classmethod
    def _is_known(cls, text: str) -> str:
        points.parse(text)
        return text


class SettingsRefused(Exception):
    """What the environment says does not do here; the text names each variable, or address, on a line of its own."""


@contextmanager
def refusals_told() -> Iterator[None]:
    """Say in plain lines on standard error what is refused of the settings, and exit 2."""
    try:
        yield
    except SettingsRefused as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(REFUSED) from None


Settings = TypeVar("Settings", bound=CommonSettings)


def load(kind: type[Settings]) -> Settings:
    """Read the settings of a service from the environment.

    Raises:
        SettingsRefused: variables are missing or unreadable; all of them are named, no value is repeated.
    """
    try:
        return kind()
    except ValidationError as error:
        lines = [f"{PREFIX}{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()]
        raise SettingsRefused("\n".join(lines)) from None
