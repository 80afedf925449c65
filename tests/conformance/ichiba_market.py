"""Plays sellers and buyers of Rakuten Ichiba's simulator for the conformance suites."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from ichiba_carriers import NUMBERS
from ichiba_files import OLD_TEXT, PRESENT_TEXT
from ichiba_full_order import FULL_ANSWER
from ichiba_mapped import every_model, full_tree, seen
from ichiba_wire import Simulator, authorization

from hanro.marketplace import installed
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId, NoticeKind, OrderStatus
from hanro.testing.conformance.controls import Controls
from hanro.testing.conformance.market import Golden, Numbers, OrderFile, Shop, Spoilt
from hanro.testing.conformance.rig import FAST

FOLDER = Path(__file__).parents[2] / "libs" / "marketplaces" / "rakuten_ichiba"
GOLDENS = Path(__file__).parent / "goldens"
CODES: Mapping[str, OrderStatus] = {
    "100": OrderStatus.NEW,
    "200": OrderStatus.ACCEPTED,
    "300": OrderStatus.READY,
    "400": OrderStatus.ON_HOLD,
    "500": OrderStatus.SHIPPED,
    "600": OrderStatus.SHIPPED,
    "700": OrderStatus.COMPLETED,
    "800": OrderStatus.CANCELLING,
    "900": OrderStatus.CANCELLED,
}
# The first state of each status.
PROGRESS = {status: int(code) for code, status in sorted(CODES.items(), reverse=True)}
COUNTRIES = {"JP": {}, "ZZ": {"prefecture": "国外", "zipCode1": "", "zipCode2": ""}}
DAY_SECONDS = 86_400
SPOILT: Mapping[Spoilt, Mapping[str, object]] = {
    "unreadable": {"/PackageModelList/0/ItemModelList/0/units": "many"},
    "unknown-status": {"orderProgress": 350},
    "wrong-sum": {"totalPrice": 1},
}

_BLANK = frozenset(
    {"payments.due_on", "holds", "lines.decide_by", "details.reserveNumber", "details.reserveDeliveryCount"}
    | {"details.cancelDueDate"}
)


@dataclass
class IchibaShop:
    """Be one shop."""

    controls: Controls
    service_secret: str = field(repr=False)
    license_key: str = field(repr=False)
    mail: Mapping[str, str] = field(repr=False)

    def secrets(self) -> Mapping[str, str]:
        """Give the key pair and the login of the mail relay."""
        return {"service_secret": self.service_secret, "license_key": self.license_key, **self.mail}

    def wrong_secrets(self) -> Mapping[str, str]:
        """Give the pair with another key."""
        return {**self.secrets(), "license_key": self.license_key[:-4] + "ZZZZ"}

    def sent_secrets(self) -> Sequence[str]:
        """Give the key of its own look-up and the signature."""
        return [self.license_key, authorization(self.service_secret, self.license_key)]

    def end_key(self, how: Literal["expire", "revoke"]) -> None:
        """End the licence key."""
        self._call("POST", f"/keys/{how}")

    def renew_key(self, *, is_settling: bool = False) -> None:
        """Issue a key."""
        made = self._call("POST", "/keys/issue", {"active_after_seconds": 900 if is_settling else 0})
        self.license_key = made["license_key"]

    def switch(self, *grant_ids: str, is_on: bool) -> None:
        """Switch functions."""
        self._call("PUT", "/grants", dict.fromkeys(grant_ids, is_on))

    def place(
        self,
        count: int = 1,
        *,
        status: OrderStatus = OrderStatus.NEW,
        code: str | None = None,
        country: str | None = None,
        placed_at: datetime | None = None,
        every_seconds: float = 0,
        hidden_from: Sequence[str] = (),
        spoilt: Spoilt | None = None,
        text: str | None = None,
        title: str | None = None,
        line_count: int = 1,
        units: int = 1,
    ) -> list[str]:
        """Let buyers order."""
        lines = [{"units": units, "price": 100, "manageNumber": f"item-{number}"} for number in range(line_count)]
        sender = {f"/PackageModelList/0/SenderModel/{key}": part for key, part in COUNTRIES[country or "JP"].items()}
        raw: dict[str, object] = {**(SPOILT[spoilt] if spoilt else {}), **sender}
        wish: dict[str, object] = {
            "count": count,
            "progress": PROGRESS[status] if code is None else int(code),
            "every_seconds": every_seconds,
            "hidden_from": list(hidden_from),
            "is_plain": True,
            "lines": [line | ({} if title is None else {"itemName": title}) for line in lines],
            "raw": raw,
        }
        if placed_at is not None:
            wish["placed_at"] = placed_at.isoformat()
        if text is not None:
            wish["buyer"] = {"familyName": text, "subAddress": text}
            raw |= {"remarks": text, "/PackageModelList/0/SenderModel/subAddress": text}
        return list(self._call("POST", "/orders", wish)["external_ids"])

    def place_near_deadline(self) -> list[str]:
        """Place an order 13 days ago: what nobody confirms in 14 days is cancelled (rakuten-ichiba-orders 8.2)."""
        return self.place(placed_at=datetime.now(UTC) - timedelta(days=13))

    def pass_deadline(self) -> None:
        """Move the simulator's clock two days on, and back."""
        self._pass(2 * DAY_SECONDS)

    def place_refused(self, count: int) -> list[str]:
        """Place orders whose postage is not decided: ERROR_105."""
        return list(
            self._call("POST", "/orders", {"count": count, "progress": 100, "kind": "undecided-postage"})[
                "external_ids"
            ]
        )

    def place_varied(self, count: int) -> list[str]:
        """Let buyers order."""
        return list(self._call("POST", "/orders", {"count": count})["external_ids"])

    def answer_with(self, body: str) -> None:
        """Answer getOrder so."""
        self.controls.fault("status", {"status": 200, "body": body}, "getOrder")

    def canaries(self, number: str) -> Sequence[str]:
        """Give what OrdererModel and SenderModel hold of people."""
        tree = json.loads(json.dumps(self._call("GET", f"/orders/{number}")["tree"]))
        people = [tree["OrdererModel"], *(package["SenderModel"] for package in tree["PackageModelList"])]
        found = [str(one.get(name) or "") for one in people for name in ("subAddress", "emailAddress", "familyName")]
        found += ["".join(str(one.get(f"phoneNumber{part}") or "") for part in (1, 2, 3)) for one in people]
        found += ["-".join(str(one.get(f"phoneNumber{part}") or "") for part in (1, 2, 3)) for one in people]
        return sorted({text for text in found if len(text) > 3})

    def refusal_bodies(self, message: str) -> Sequence[str]:
        """Write errors as the current gateway and the functions word them."""
        entry = {"messageType": "ERROR", "messageCode": "ORDER_EXT_API_GET_ORDER_ERROR_011", "message": message}
        bodies = ({"errors": [{"code": "GK0001", "message": message}]}, {"MessageModelList": [entry]})
        return [json.dumps(body, ensure_ascii=False) for body in bodies]

    def refuse_whole(self, number: str | None) -> None:
        """Answer confirmOrder once with 400 and one error."""
        entry = {"messageType": "ERROR", "messageCode": "ORDER_EXT_API_CONFIRM_ORDER_ERROR_011", "message": "書式"}
        named = entry if number is None else {**entry, "orderNumber": number}
        body = json.dumps({"MessageModelList": [named]}, ensure_ascii=False)
        self.controls.fault("status", {"status": 400, "body": body, "count": 1}, "confirmOrder")

    def move(self, number: str, status: OrderStatus) -> None:
        """Bring an order to a state."""
        self._call("POST", f"/orders/{number}/set", {"progress": PROGRESS[status]})

    def pass_queue(self) -> None:
        """Let the 5 s pass after which a queued request is carried out."""
        self._pass(10)

    def pass_night(self) -> None:
        """Let a day pass and its night run."""
        self._pass(DAY_SECONDS)

    def _pass(self, seconds: int) -> None:
        for step in (seconds, -seconds):
            self.controls.call("PUT", "/clock", {"advance_seconds": step})

    def show_one_page_for_ever(self, numbers: Sequence[str]) -> None:
        """Let searchOrder say that there are two pages, and show one."""
        answer = {
            "MessageModelList": [
                {"messageType": "INFO", "messageCode": "ORDER_EXT_API_SEARCH_ORDER_INFO_101", "message": "…"}
            ],
            "orderNumberList": list(numbers),
            "PaginationResponseModel": {"totalRecordsAmount": 2 * len(numbers), "totalPages": 2, "requestPage": 1},
        }
        self.controls.fault("status", {"status": 200, "body": json.dumps(answer)}, "searchOrder")

    def refuse_for_rate(self) -> Sequence[tuple[str, Mapping[str, object]]]:
        """Name 429, and 403 with the word of the quota."""
        return (
            ("throttle", {}),
            ("status", {"status": 403, "body": '{"Results":{"errorCode":"QPSLimit","message":"QPSLimit"}}'}),
        )

    def _call(self, method: str, path: str, value: object = None) -> dict[str, str]:
        return dict(self.controls.call(method, f"/shops/{self.controls.shop_id}{path}", value) or {})


@dataclass
class IchibaMarket:
    """Be Rakuten Ichiba beside its simulator."""

    simulator: Simulator
    plugin: Plugin = field(default_factory=lambda: installed()[MarketplaceId("rakuten_ichiba")])
    folder: Path = FOLDER
    codes: Mapping[str, OrderStatus] = field(default_factory=lambda: CODES)
    countries: Sequence[str] = tuple(COUNTRIES)
    unknown_number: str = "999999-20260101-0000000000"
    # They cancel what nobody confirms in time, and then say that it is cancelled.
    code_past_deadline: str = "order-cancelled"
    write_function: str = "confirmOrder"
    ship_functions: Sequence[str] = ("updateOrderShipping", "updateOrderShippingAsync")
    cancel_functions: Sequence[str] = (
        "cancelOrder",
        "cancelOrderAfterShipping",
        "updateOrderSender",
        "updateOrderSenderAfterShipping",
    )
    notice_replies: Mapping[str, bytes] = field(
        default_factory=lambda: {
            name: f"<responseModel><resultCode>{code}</resultCode></responseModel>".encode()
            for name, code in (
                ("stored", "N-000-000"),
                ("failed", "E-400-900"),
                ("wrong-key", "E-400-101"),
                ("malformed", "E-400-100"),
            )
        }
    )
    tracking_numbers: Mapping[str, Numbers] = field(default_factory=lambda: NUMBERS)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(999001))

    @property
    def order_files(self) -> Sequence[OrderFile]:
        """Give the sample of rakuten-ichiba-orders 13, which is the order of 15.2, and one of the old file."""
        return (
            OrderFile("rms_orders", "999001-20260511-0123456789", PRESENT_TEXT, "単価", seen(full_tree()), _BLANK),
            OrderFile("rms_orders_old", "999001-20180511-0123456789", OLD_TEXT, "単価"),
        )

    @property
    def base_url(self) -> str:
        """Give the simulator's URL."""
        return f"http://127.0.0.1:{self.simulator.port}"

    def notice(self, kind: NoticeKind, number: str, key: str) -> bytes:
        """Write one of rakuten-ichiba-orders 11."""
        model = f"<authModel><contractId>1</contractId><shopUrl>x</shopUrl><authKey>{key}</authKey></authModel>"
        if kind is NoticeKind.ORDER_PLACED:
            placed = f"<orderNumber>{number}</orderNumber><seqId>7</seqId><orderDate>2026/05/11 10:15:30</orderDate>"
            text = f"<orderNotifyModel>{model}<orderInfoNotifyModel>{placed}</orderInfoNotifyModel></orderNotifyModel>"
        else:
            values = f'<value1 name="orderNumber">{number}</value1><value2 name="notificationType">1</value2>'
            head = "<requestId>r-1</requestId><serviceId>5000</serviceId><functionId>1100</functionId>"
            text = f"<notifyModel>{model}<notifyInfoModel>{head}{values}</notifyInfoModel></notifyModel>"
        return text.encode()

    def notice_secrets(self, key: str) -> dict[str, str]:
        """Give the key."""
        return {"notice_auth_key": key}

    def open_shop(self) -> Shop:
        """Open a shop that allows as many calls as a fast rig makes; two at once, since a busy machine delays some."""
        number = str(next(self.numbers))
        controls = Controls(self.base_url, number)
        made = controls.call("POST", "/shops", {"number": number})
        controls.limit(FAST, burst=2)
        return IchibaShop(
            controls=controls,
            service_secret=made["service_secret"],
            license_key=made["license_key"],
            mail={
                "smtp_id": made["smtp_username"],
                "smtp_password": made["smtp_password"],
                "sender_address": made["sender_address"],
            },
        )

    def goldens(self) -> Sequence[Golden]:
        """Give the full sample of rakuten-ichiba-orders 15.2, and the same with the models of 5.9, 5.10, 5.12, 5.14."""
        more = json.dumps({**json.loads(FULL_ANSWER), "OrderModelList": [every_model()]}, ensure_ascii=False)
        return (
            Golden("999001-20260511-0123456789", FULL_ANSWER, GOLDENS / "full_order.json"),
            Golden("999001-20260511-0123456789", more, GOLDENS / "every_model.json"),
        )

    def is_sentinel(self, text: str) -> bool:
        """Tell: -9999, rakuten-ichiba-orders 2 [2+]."""
        return text == "-9999"
