"""Mints the demo's own tokens: the local issuer's key lies in the state folder, readable by its owner alone."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hanro_local import issuer
from hanro_local.issuer import Claims
from hanro_local.issuer_state import PUBLIC_SCOPES

LIFETIME = timedelta(days=7)
PAGE_SCOPES = ("orders:read", "stock:read")


def mint(state: Path, scopes: tuple[str, ...] = PUBLIC_SCOPES, *, subject: str = "demo") -> str:
    """Sign a token of a week for a stack that runs from `state`."""
    claims = Claims(subject=subject, scopes=scopes, lifetime=LIFETIME)
    return issuer.mint(state / "issuer", claims, datetime.now(UTC))


def write_page_token(state: Path) -> None:
    """Give the start page a token of its own, which opens no more than it shows."""
    file = state / "gateway" / "token"
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
        out.write(mint(state, PAGE_SCOPES, subject="start-page"))
    draft.replace(file)
