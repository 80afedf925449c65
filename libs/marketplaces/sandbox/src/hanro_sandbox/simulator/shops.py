"""Keeps shops: keys, grants, and everything that a shop has."""

import random
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from hanro_sandbox.simulator.wire import Tree, write_moment

LIFETIME = timedelta(days=180)
SESSION_LIFETIME = timedelta(days=30)
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_LETTERS = string.ascii_letters + string.digits


@dataclass
class Key:
    """Be a key, or a session key that was made with one: that ends with it."""

    text: str
    active_at: datetime
    expires_at: datetime
    is_revoked: bool = False
    made_with: "Key | None" = None

    def judge(self, now: datetime) -> Literal["good", "young", "expired", "dead"]:
        """Say what the key is worth now."""
        own: Literal["good", "young", "expired", "dead"] = "good"
        if self.is_revoked:
            own = "dead"
        elif now >= self.expires_at:
            own = "expired"
        elif now < self.active_at:
            own = "young"
        return own if own != "good" or self.made_with is None else self.made_with.judge(now)


@dataclass
class Shop:
    """Be one shop; orders, listings and the like are as the protocol shows them."""

    id: str
    name: str
    notice_key: str
    keys: list[Key]
    notice_url: str | None = None
    off: set[str] = field(default_factory=set)
    orders: dict[str, Tree] = field(default_factory=dict)
    hidden: dict[str, list[str]] = field(default_factory=dict)
    jobs: dict[str, Tree] = field(default_factory=dict)
    messages: list[Tree] = field(default_factory=list)
    listings: dict[str, Tree] = field(default_factory=dict)
    images: dict[str, Tree] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Give the newest key that a seller holds."""
        return [key for key in self.keys if key.made_with is None][-1]

    def state(self) -> Tree:
        """Give all that the shop has, as JSON values; when keys end is part of it."""
        keys = [
            [key.text, write_moment(key.active_at), write_moment(key.expires_at), key.is_revoked] for key in self.keys
        ]
        parts = ("name", "notice_url", "orders", "hidden", "jobs", "messages", "listings", "images", "stock")
        return {"keys": keys, "off": sorted(self.off), **{name: getattr(self, name) for name in parts}}


class Shops:
    """Hold the shops; the same seed gives them the same keys."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Forget all shops."""
        self._random = random.Random(f"shops {self._seed}")  # noqa: S311  repeatable on purpose
        self.by_id: dict[str, Shop] = {}

    def open(self, shop_id: str | None, name: str | None, now: datetime) -> Shop:
        """Open a shop with a key."""
        shop_id = shop_id or f"shop-{len(self.by_id) + 1}"
        if shop_id in self.by_id:
            raise ValueError(f"there is a shop {shop_id}")
        key = self._key(shop_id, now)
        notice_key = self._letters(32)
        shop = Shop(id=shop_id, name=name or f"見本商店 {shop_id}", notice_key=notice_key, keys=[key])
        self.by_id[shop_id] = shop
        return shop

    def issue(self, shop: Shop, now: datetime, active_after: timedelta) -> Key:
        """Give a shop a new key; the one before works on."""
        key = self._key(shop.id, now)
        # The clock may be set back: what is active at once was always so.
        key.active_at = now + active_after if active_after else _ALWAYS
        shop.keys.append(key)
        return key

    def open_session(self, shop: Shop, key: Key, now: datetime) -> Key:
        """Make a session key with a key."""
        ends = min(now + SESSION_LIFETIME, key.expires_at)
        made = Key(f"ses_{shop.id}_{self._letters(24)}", _ALWAYS, ends, made_with=key.made_with or key)
        shop.keys.append(made)
        return made

    def find(self, authorization: str | None) -> tuple[Shop, Key] | None:
        """Find whose key a request carries; dead ones still tell their shop."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return next(((shop, key) for shop in self.by_id.values() for key in shop.keys if key.text == text), None)

    def _key(self, shop_id: str, now: datetime) -> Key:
        return Key(f"sbx_{shop_id}_{self._letters(24)}", _ALWAYS, now + LIFETIME)

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices(_LETTERS, k=count))
