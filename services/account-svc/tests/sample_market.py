"""Be a marketplace that is like none of the real ones: another form, another key life, other grants.

A plug-in as anybody may install it: found by its entry point alone. Its doors but access are shut.
"""

# The port's signatures stand as they are; what is absent reads no argument.
# ruff: noqa: ARG002, D102

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from hanro.errors import LocalizedText, MenuPath, Refusal
from hanro.marketplace.absent import (
    AbsentAccess,
    AbsentListings,
    AbsentMessages,
    AbsentOrders,
    AbsentStock,
    plan_absent,
    unsupported,
)
from hanro.marketplace.port import Access, Listings, Messages, Orders, Secrets, Session, Stock
from hanro.marketplace.types import (
    Absent,
    ApiGroup,
    Asked,
    Capability,
    CarrierCatalogue,
    CategorySchema,
    Channel,
    CredentialForm,
    CsvLayout,
    ExpirySource,
    FieldKind,
    FormField,
    Grant,
    GrantState,
    Guide,
    HttpRequest,
    KeyExpiry,
    KeyField,
    KeyLife,
    LengthUnit,
    Limits,
    MailRelay,
    MarketInformation,
    MarketplaceId,
    Moment,
    Notices,
    OrderStatus,
    Part,
    Plan,
    PolicyPack,
    PreflightRow,
    Prerequisite,
    ProbeKind,
    Registration,
    Route,
    Step,
    Support,
    Supported,
    TextRule,
    Trigger,
)

LIFETIME = timedelta(days=21)
DASHBOARD = MenuPath(steps=("Seller desk", "Integrations", "Tokens"), url="https://desk.example.invalid/tokens")
SWITCHES = MenuPath(steps=("Seller desk", "Integrations", "Permissions"))
REFUSED, FORBIDDEN = 401, 403


def both(ja: str, en: str) -> LocalizedText:
    """Make a text of both languages."""
    return LocalizedText(ja=ja, en=en)


def _rule(max_length: int, pattern: str | None = None) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="ascii", pattern=pattern)


FORM = CredentialForm(
    fields=(
        FormField(
            name="desk_login",
            label=both("デスクのログイン名", "desk login"),
            kind=FieldKind.TEXT,
            rule=_rule(40),
            help=both("メールアドレスではありません。", "it is no mail address"),
            wrong=(("@", both("メールアドレスではなくログイン名です", "this is a mail address, not the login")),),
        ),
        FormField(
            name="desk_token",
            label=both("トークン", "token"),
            kind=FieldKind.PASSWORD,
            rule=_rule(60, "tok_[A-Za-z0-9-]+"),
            help=both("発行画面で一度だけ表示されます。", "shown once, when it is issued"),
            is_secret=True,
            where=DASHBOARD,
        ),
    ),
    registrations=(
        Registration(id="desk", label=both("デスク", "seller desk"), field_names=("desk_login", "desk_token")),
    ),
)


def _grant(grant_id: str, ja: str, probe: ProbeKind, group: str = "reads") -> Grant:
    remedy = both(f"{ja}を有効にしてください。", f"switch {grant_id} on")
    return Grant(id=grant_id, label=both(ja, grant_id), menu=SWITCHES, probe=probe, group=group, remedies=(remedy,))


GRANTS = (
    _grant("sales.read", "販売の参照", ProbeKind.READ),
    _grant("sales.answer", "販売への回答", ProbeKind.REFUSED),
    _grant("shelf.write", "在庫の更新", ProbeKind.REFUSED, "writes"),
    _grant("desk.chat", "チャット", ProbeKind.NONE),
)
GUIDE = Guide(
    version="1",
    prerequisites=(
        Prerequisite(
            id="permissions",
            title=both("権限", "permissions"),
            states=("open", "saved"),
            labels=(both("未設定", "open"), both("設定済", "saved")),
            step_ids=("permissions",),
            grant_ids=frozenset(grant.id for grant in GRANTS),
        ),
        Prerequisite(
            id="token",
            title=both("トークンの発行", "a token"),
            states=("open", "issued"),
            labels=(both("未発行", "open"), both("発行済", "issued")),
            step_ids=("token",),
        ),
    ),
    steps=(
        Step(id="permissions", title=both("権限を選ぶ", "pick permissions"), text=both("全部", "all"), menu=SWITCHES),
        Step(id="token", title=both("発行する", "issue a token"), text=both("控える", "copy it"), menu=DASHBOARD),
    ),
)
_ABSENT = Absent(reason=both("見本です。", "this is a sample"), source="sample")
CAPABILITIES: Mapping[Capability, Support] = dict.fromkeys(Capability, _ABSENT) | {
    Capability.KEY_EXPIRY: Supported(),
    Capability.FIND_ORDERS: Supported(grant_ids=frozenset({"sales.read"})),
    Capability.FETCH_ORDER: Supported(grant_ids=frozenset({"sales.read"})),
    Capability.ACCEPT: Supported(grant_ids=frozenset({"sales.read", "sales.answer"})),
    Capability.SET_STOCK: Supported(grant_ids=frozenset({"shelf.write"})),
}


def _group(name: str, owner: str) -> ApiGroup:
    return ApiGroup(
        name=name,
        request_count=50,
        period=timedelta(seconds=1),
        burst=5,
        shares={owner: Decimal("0.5"), "account-svc": Decimal("0.5")},
        source="sample",
    )


class SampleAccess(AbsentAccess):
    """Be the door to one seller's grants and token."""

    def __init__(self, session: Session) -> None:
        super().__init__(CAPABILITIES)
        self._session = session

    async def probe(self, grant_id: str) -> PreflightRow:
        grant = next(one for one in GRANTS if one.id == grant_id)
        values = self._session.secrets.values
        request = HttpRequest(
            method="GET",
            path=f"/may/{values['desk_login']}/{grant_id}",
            headers={"X-Desk-Token": values["desk_token"]},
            has_effect=False,
        )
        async with self._session.pacer.turn(grant.group) as turn:
            answer = await self._session.http.send(request, turn)
        said = json.loads(answer.body)
        state = GrantState.DENIED if answer.status in {REFUSED, FORBIDDEN} else GrantState.GRANTED
        refusal = Refusal(code=said["code"], message=said["text"], http_status=answer.status)
        return PreflightRow(
            grant_id=grant_id,
            state=state,
            why=said["text"],
            checked_at=self._session.clock.now(),
            refusal=refusal if state is GrantState.DENIED else None,
        )

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        at = self._session.secrets.stored_at + LIFETIME
        moment = Moment(at=at, local=f"{at:%d.%m.%Y}")
        return (KeyExpiry(field="desk_token", source=ExpirySource.COMPUTED, expires=moment),)


class SampleMarket:
    """Be the marketplace behind the port."""

    port: Literal[1] = 1
    id = MarketplaceId("sample_market")
    name = both("見本市場", "Sample Market")
    zone = ZoneInfo("Europe/Berlin")
    currency = "EUR"
    credential_form: CredentialForm = FORM
    guide: Guide = GUIDE
    grants: tuple[Grant, ...] = GRANTS
    key_life: tuple[KeyLife, ...] = (
        KeyLife(field="desk_token", lifetime=LIFETIME, has_overlap=True, settles_within=timedelta()),
    )
    capabilities: Mapping[Capability, Support] = CAPABILITIES
    limits = Limits(
        groups={"reads": _group("reads", "order-svc"), "writes": _group("writes", "catalog-svc")},
        batches={},
        read_lag={},
        call_deadline=timedelta(seconds=5),
        max_quantity=999,
        max_axes=1,
        max_variants=1,
        max_images=1,
    )
    routes: tuple[Route, ...] = ()
    statuses: Mapping[str, OrderStatus] = {}
    policy = PolicyPack(version="1", rules=())
    carriers = CarrierCatalogue(version="1", carriers=(), other_value=None, is_other_url_required=False)
    key_fields: tuple[KeyField, ...] = ()
    text_rules: Mapping[str, TextRule] = {}
    listing_form: tuple[FormField, ...] = ()
    sends_price_with = Part.STOCK
    channels: Mapping[Trigger, Channel | Absent] = dict.fromkeys(Trigger, _ABSENT)
    order_layouts: tuple[CsvLayout, ...] = ()
    listing_layouts: tuple[CsvLayout, ...] = ()

    def access(self, session: Session) -> Access:
        return SampleAccess(session)

    def orders(self, session: Session) -> Orders:
        return AbsentOrders(CAPABILITIES)

    def listings(self, session: Session) -> Listings:
        return AbsentListings(CAPABILITIES)

    def stock(self, session: Session) -> Stock:
        return AbsentStock(CAPABILITIES)

    def messages(self, session: Session) -> Messages:
        return AbsentMessages(CAPABILITIES)

    def plan(
        self, asked: Sequence[Asked], schema: CategorySchema | None = None, market: MarketInformation | None = None
    ) -> Plan:
        return plan_absent(CAPABILITIES, asked)

    def mail_relay(self, secrets: Secrets) -> MailRelay | None:
        return None

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        raise unsupported(CAPABILITIES, Capability.NOTICES)


plugin = SampleMarket()
