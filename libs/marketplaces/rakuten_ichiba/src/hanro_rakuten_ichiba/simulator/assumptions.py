"""States what the simulator does where no source says, and what may be switched to an older or stricter shape."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Assumptions:
    """Hold every assumption; sections are those of the dossier rakuten-ichiba-orders, marks its confidence.

    Gateway:
        gateway: shape of refusals: "current" `errors[]` [2+] or "older" `Results{}` [2+] (1.2).
        require_charset: 415 when the content type has no charset (1.2) [1].
        unreadable_code: gateway code for a body that is no JSON object; GK0001, GK0005, GK0006 exist (1.2) [?].
        requests_per_second, burst: bucket of each function group of a shop (1.3) [?].
        server, session_cookie: header values; the cookie's real name was not recorded, "" sends none (1.4) [?].

    Keys:
        key_life_days: a key dies at 23:59:59 JST of that day after its issue (1.1) [2+].
        key_activation_seconds: how long a newly issued key is refused; 900 to 1800 are reported (1.1) [2+]. 0 here, so
            that a test says when it wants to wait.

    Reading:
        accept_colon_offset: take `+09:00` beside `+0900`; samples and traffic show `+0900` alone (2) [?].
        oldest_days: how old an order or a period's start may be (4.1, 4.2) [2+].
        longest_period_days: end - start is at most this many times 24 hours (14.5) [?].
        reach: how many orders paging reaches (4.1) [2+].
        orders_per_call: getOrder and confirmOrder (3) [2+].

    Life cycle:
        processing_seconds: 200 to 300 (8.2) [?]. billing_seconds: 500 to 600; settling_seconds: 600 to 700 (8.2) [?].
        unconfirmed_days: automatic cancellation, when that day has ended in Japan (8.2) [2+], hour [?].
        night_run_minutes: minutes after midnight JST (8.2); runs were seen from 00:05 to 01:49 [wire].
        waits_for_payment: methods that stay in 200 until the buyer paid (8.2) [2+]: bank transfer and prepaid ones.
    """

    gateway: Literal["current", "older"] = "current"
    require_charset: bool = True
    unreadable_code: str = "GK0005"
    requests_per_second: float = 1.0
    burst: int = 5
    server: str = "openresty"
    session_cookie: str = "JSESSIONID"
    key_life_days: int = 90
    key_activation_seconds: float = 0.0
    accept_colon_offset: bool = False
    oldest_days: int = 730
    longest_period_days: int = 63
    reach: int = 15_000
    orders_per_call: int = 100
    processing_seconds: float = 60.0
    billing_seconds: float = 86_400.0
    settling_seconds: float = 172_800.0
    unconfirmed_days: int = 14
    night_run_minutes: int = 5
    waits_for_payment: tuple[int, ...] = (9, 13, 14)
