"""Keeps the shops: keys, granted functions, set-up, orders."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.events.documents import Subscription
from hanro_rakuten_ichiba.simulator.keys import Credentials, Key, expiry, make_alphanumerics, make_text
from hanro_rakuten_ichiba.simulator.orders import Orders
from hanro_rakuten_ichiba.simulator.shop_categories import CategorySet, default_categories
from hanro_rakuten_ichiba.simulator.shop_contracts import Contracts
from hanro_rakuten_ichiba.simulator.shop_events import Application
from hanro_rakuten_ichiba.simulator.shop_notices import Notice
from hanro_rakuten_ichiba.simulator.shop_set_up import Resources, default_resources
from hanro_rakuten_ichiba.simulator.shop_staff import SubUser

FIRST_NUMBER = 999_001
MASKED_PATTERN = "*.fw.rakuten.ne.jp"
SubStatuses = list[dict[str, object]]


def default_sub_statuses() -> SubStatuses:
    """Give the sub-statuses that a new shop has. Source: rakuten-ichiba-orders 15.6."""
    return [
        {"orderProgress": 100, "SubStatusModelList": [{"subStatusId": 9001, "subStatusName": "要確認", "orderby": 1}]},
        {
            "orderProgress": 300,
            "SubStatusModelList": [
                {"subStatusId": 9031, "subStatusName": "出荷準備中", "orderby": 1},
                {"subStatusId": 9032, "subStatusName": "入荷待ち", "orderby": 2},
            ],
        },
    ]


@dataclass(frozen=True)
class MailAccess:
    """State a shop's login at the mail relay. Source: rakuten-ichiba-orders 12: numeric id [1], sender rule [2+]."""

    username: str
    password: str = field(repr=False)
    sender: str = ""


@dataclass(frozen=True)
class DownloadLogin:
    """State what the order download asks for. Source: seed 003 line 294."""

    username: str = ""
    password: str = field(default="", repr=False)


@dataclass
class Shop:
    """Hold one shop; `keys` has the newest last, and older ones so that their refusal can be told from a stranger's."""

    number: str
    url: str
    name: str
    mail: MailAccess
    resources: Resources
    confirms_automatically: bool = False
    keys: list[Key] = field(default_factory=list)
    disabled_grants: set[str] = field(default_factory=set)
    unsaved_grants: dict[str, bool] = field(default_factory=dict)
    contracts: Contracts = field(default_factory=Contracts)
    staff: list[SubUser] = field(default_factory=list)
    application: Application | None = None
    subscription: Subscription | None = None
    notices: list[Notice] = field(default_factory=list)
    category_sets: dict[str, CategorySet] = field(default_factory=default_categories)
    mail_logins: int = 1
    is_mail_revoked: bool = False
    download: DownloadLogin = field(default_factory=DownloadLogin)
    sub_statuses: SubStatuses = field(default_factory=default_sub_statuses)
    orders: Orders = field(default_factory=Orders)

    @property
    def shared_address(self) -> str:
        """Give the mail address of the shop's shared R-Login id."""
        return f"owner{self.number}@example.invalid"

    @property
    def key(self) -> Key:
        """Give the newest key."""
        return self.keys[-1]

    def find_key(self, credentials: Credentials) -> Key | None:
        """Give the key of these credentials; None when the shop never had them."""
        return next((key for key in reversed(self.keys) if key.credentials == credentials), None)

    def end_keys(self, *, spared: int) -> None:
        """Revoke all keys but so many of the newest."""
        ended = len(self.keys) - spared
        self.keys[:ended] = [replace(key, is_revoked=True) for key in self.keys[:ended]]

    def take_key(self, now: datetime) -> None:
        """Let the newest key work from now on, however long it was to be refused."""
        self.keys[-1] = replace(self.key, active_at=min(self.key.active_at, now))

    def change_key(self, *, expires_at: datetime | None = None, is_revoked: bool | None = None) -> None:
        """End the newest key at another time, or revoke it."""
        key = self.key
        self.keys[-1] = replace(
            key,
            expires_at=key.expires_at if expires_at is None else expires_at,
            is_revoked=key.is_revoked if is_revoked is None else is_revoked,
        )

    def to_json(self) -> dict[str, object]:
        """Give the shop without its orders."""
        return {
            "id": self.number,
            "url": self.url,
            "name": self.name,
            "confirms_automatically": self.confirms_automatically,
            "disabled_grants": sorted(self.disabled_grants),
            "unsaved_grants": dict(sorted(self.unsaved_grants.items())),
            "contracts": self.contracts.to_json(),
            "shared_address": self.shared_address,
            "is_mail_revoked": self.is_mail_revoked,
            "service_secret": self.key.credentials.service_secret,
            "license_key": self.key.credentials.license_key,
            "license_expires_at": self.key.expires_at.isoformat(),
            "smtp_username": self.mail.username,
            "smtp_password": self.mail.password,
            "sender_address": self.mail.sender,
            "download_username": self.download.username,
            "download_password": self.download.password,
            "masked_pattern": MASKED_PATTERN,
        }


class Shops:
    """Hold shops by number; the same seed gives the same shop the same keys, whatever happened before."""

    def __init__(self, seed: int, assumptions: Assumptions) -> None:
        self._seed = seed
        self._assumptions = assumptions
        self._shops: dict[str, Shop] = {}
        self._by_text: dict[str, Shop] = {}

    def __iter__(self) -> Iterator[Shop]:
        """Give the shops in the order of their opening."""
        return iter(self._shops.values())

    def find(self, number: str) -> Shop | None:
        """Give the shop of that number, None when there is none."""
        return self._shops.get(number)

    def clear(self) -> None:
        """Forget all shops."""
        self._shops.clear()
        self._by_text.clear()

    def open(self, now: datetime, *, number: str | None, url: str | None, name: str | None) -> Shop:
        """Open a shop with a key that works at once.

        Raises:
            ValueError: the number is taken.
        """
        if number is None:
            number = next(str(free) for free in range(FIRST_NUMBER, 10**6) if str(free) not in self._shops)
        if number in self._shops:
            raise ValueError(f"there is a shop {number} already")
        url = f"sample-shop-{number}" if url is None else url
        name = f"見本店{number}" if name is None else name
        shop = Shop(
            number=number,
            url=url,
            name=name,
            mail=MailAccess(
                username=f"1{number}",
                password=make_alphanumerics(self._source(number, "mail")),
                sender=f"shop{number}@example.invalid",
            ),
            resources=default_resources(name, url),
            download=DownloadLogin(f"csv{number}", make_alphanumerics(self._source(number, "download"))),
        )
        self.issue_key(shop, now, active_after_seconds=0)
        self._shops[number] = shop
        return shop

    def issue_key(
        self, shop: Shop, now: datetime, *, active_after_seconds: float | None, keeps_old: bool | None = None
    ) -> Key:
        """Issue a licence key, which kills the one before at once. Source: rakuten-ichiba-orders 1.1 [1].

        With `keeps_old` the one before works on beside it, and those before that one are dead; None: as is assumed.
        """
        assumed = self._assumptions
        if shop.keys:
            shop.end_keys(spared=int(assumed.keeps_old_key if keeps_old is None else keeps_old))
            service_secret = shop.key.credentials.service_secret
        else:
            service_secret = make_text(self._source(shop.number, "secret"), "SP", shop.number)
        wait = assumed.key_activation_seconds if active_after_seconds is None else active_after_seconds
        license_key = make_text(self._source(shop.number, f"key {len(shop.keys)}"), "SL", shop.number)
        key = Key(
            credentials=Credentials(service_secret, license_key),
            issued_at=now,
            active_at=now + timedelta(seconds=wait),
            expires_at=expiry(now, assumed.key_life_days),
        )
        shop.keys.append(key)
        self._by_text[service_secret] = self._by_text[license_key] = shop
        return key

    def change_mail(self, shop: Shop, *, is_new_id: bool) -> MailAccess:
        """Give a shop another password for the relay, or another login altogether."""
        shop.mail_logins += 1
        count = shop.mail_logins
        username = f"{count}{shop.number}" if is_new_id else shop.mail.username
        password = make_alphanumerics(self._source(shop.number, f"mail {count}"))
        shop.mail = replace(shop.mail, username=username, password=password)
        shop.is_mail_revoked = False
        return shop.mail

    def expire_key(self, shop: Shop, now: datetime) -> None:
        """Let the newest key be dead from now on, for its age."""
        shop.change_key(expires_at=now - timedelta(seconds=1))

    def restore_key(self, shop: Shop) -> None:
        """Make the newest key as good as when it was issued, wait included."""
        key = shop.key
        shop.change_key(expires_at=expiry(key.issued_at, self._assumptions.key_life_days), is_revoked=False)

    def find_by_credentials(self, credentials: Credentials) -> tuple[Shop, Key | None] | None:
        """Give the shop that a pair points to, and the key if the pair ever was one; None for strangers."""
        shop = self._by_text.get(credentials.license_key) or self._by_text.get(credentials.service_secret)
        return None if shop is None else (shop, shop.find_key(credentials))

    def _source(self, number: str, purpose: str) -> random.Random:
        return random.Random(f"{self._seed} {number} {purpose}")  # noqa: S311  repeatable on purpose
