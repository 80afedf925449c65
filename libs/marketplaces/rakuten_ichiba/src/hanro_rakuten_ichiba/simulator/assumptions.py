"""States what the simulator does where no source says, and what may be switched to an older or stricter shape."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from simkit.faults import HeaderValue

_Count = Annotated[int, Field(ge=1, le=1_000_000)]
_Days = Annotated[int, Field(ge=0, le=36_500)]
_Seconds = Annotated[float, Field(ge=0, le=1e9)]


@dataclass(frozen=True)
class Assumptions:
    """Hold every assumption; sections are those of the dossier rakuten-ichiba-orders, marks its confidence.

    Gateway:
        gateway: shape of refusals: "current" `errors[]` [2+] or "older" `Results{}` [2+] (1.2).
        require_charset: 415 when the content type has no charset (1.2) [1]. charsets: names that are taken, any letter
            case [?]; a request without a body needs no content type [?].
        content_type_first: tell 415 before looking at the key; else after path, method, key, rate and grant, in this
            order (1.2) [?].
        authorization: "exact" takes `ESA`, one blank, Base64 with padding (1) [2+]; "lenient" any letter case, any
            blanks around and missing padding, which nobody recorded [?].
        normalises_paths: decode percent signs and take several slashes for one, as openresty does unless told
            otherwise [?]. Letter case counts.
        compresses: gzip for who accepts it; `Vary` was recorded, a compressed answer was not (1.4) [?].
        unreadable_code: gateway code for a body that is no JSON object; GK0001, GK0005, GK0006 exist (1.2) [?].
        unknown_route: what items, inventories and categories say of a path or method that they do not have: "GE0007",
            status 400 [1], or "404", which was measured for some paths [1] (rakuten-ichiba-catalog 2.1, 2.2, 3.1).
        requests_per_second, burst: bucket of each function group of a shop (1.3) [?]; reading items and stock, and
            genres, bear five times as much (rakuten-ichiba-catalog 10) [1].
        server, session_cookie: header values; the cookie's real name was not recorded, "" sends none (1.4) [?].

        items_need_csv_option: without the contract CSV商品一括編集 functions of items and stock are refused as if they
            were off (rakuten-ichiba-catalog 10) [?].

    Keys:
        key_life_days: a key dies at 23:59:59 JST of that day after its issue (1.1) [2+].
        keeps_old_key: the key before a newly issued one works on [?], the oldest of three does not; else it dies at
            once (1.1) [1].
        key_activation_seconds: how long a newly issued key is refused; 900 to 1800 are reported (1.1) [2+]. 0 here, so
            that a test says when it wants to wait.

    Reading:
        repeated_keys: of a key that stands twice in an object the "last" counts, or the body is "refuse"d [?].
        blank_is_missing: an empty text is an absent value (ERROR_009), else a value of a bad format (ERROR_011) [?].
        counts_bytes: refuse what is over "Max Byte", lists by the bytes of their members together (2, 4.1, 4.2) [?].
        accept_colon_offset: take `+09:00` beside `+0900`; samples and traffic show `+0900` alone (2) [?].
        accept_other_offsets: take any other offset for what it says; all times of the service are JST (2) [?].
        keyword_match: a search keyword is "part" of the text or the "whole" of it (4.1) [?].
        repeated_numbers: answer an order number that a list holds twice "once", or "each" time (4.2, 4.3) [?].
        oldest_days: how old an order or a period's start may be (4.1, 4.2) [2+].
        longest_period_days: end - start is at most this many times 24 hours (14.5) [?].
        reach: how many orders paging reaches (4.1) [2+].
        orders_per_call: getOrder and confirmOrder (3) [2+].

    Writing:
        refusal_status: status of business refusals of functions for one order, where the dossier names none (2.1) [?].
        rows_per_basket: shipping rows of a destination in one request (4.4) [1].
        shipping_states: where shipping rows may be written besides 300 [2+] (8.3) [?]; 900 is ERROR_102.
        unnoted_states: where memo, remarks, buyer and delivery method are not written (8.3) [?].
        items_have_texts: getOrderItem gives remarks, memo, operator and mailPlugSentence, which may be personal
            (4.19) [?].
        coupons_shrink: once the shop changed an order, coupons have no more units than their line and take off no more
            than the goods cost (4.17, 8.4) [?].
        async_delay_seconds: until a queued request is carried out (14.10) [?]. async_kept_days: results are told for so
            long (4.6) [1], counted from the request [?].

    Life cycle:
        processing_seconds: 200 to 300 (8.2) [?]. billing_seconds: 500 to 600; settling_seconds: 600 to 700 (8.2) [?].
        cancelling_seconds: 800 to 900 when the shop cancels; resettling_seconds: how long a changed amount stays in 400
            (8.2) [?].
        unconfirmed_days: automatic cancellation, when that day has ended in Japan (8.2) [2+], hour [?].
        night_run_minutes: minutes after midnight JST (8.2); runs were seen from 00:05 to 01:49 [wire].
        waits_for_payment: methods that stay in 200 until the buyer paid (8.2) [2+]: bank transfer and prepaid ones.
        failed_authorisation_leads_to: 800 or 900 (8.2) [?].

    Event notification:
        event_timeout_seconds: real seconds for one delivery (11) [?].
        event_retry_seconds: waits, by the virtual clock, before a notice is tried again that was not answered with 200
            and N-000-000; what follows the last is the end (11) [?].

    Mail relay:
        mail_size_limit_bytes: 10 MB, then 552 5.3.4 (12) [?].
        mail_checks_author: hold the From header to the rule of the envelope's sender (12) [2+]; that it is checked
            after the final dot, and that a mail without one passes [?].
        mail_takes_plain_text_alone: refuse HTML and attachments, of which nothing is known (12) [?].
    """

    gateway: Literal["current", "older"] = "current"
    require_charset: bool = True
    charsets: tuple[str, ...] = ("utf-8",)
    content_type_first: bool = False
    authorization: Literal["exact", "lenient"] = "exact"
    normalises_paths: bool = True
    compresses: bool = False
    unreadable_code: str = "GK0005"
    unknown_route: Literal["GE0007", "404"] = "GE0007"
    requests_per_second: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    burst: _Count = 5
    server: HeaderValue = "openresty"
    session_cookie: HeaderValue = "JSESSIONID"
    items_need_csv_option: bool = True
    key_life_days: _Days = 90
    keeps_old_key: bool = False
    key_activation_seconds: _Seconds = 0.0
    repeated_keys: Literal["last", "refuse"] = "last"
    blank_is_missing: bool = False
    counts_bytes: bool = True
    accept_colon_offset: bool = False
    accept_other_offsets: bool = True
    keyword_match: Literal["part", "whole"] = "part"
    repeated_numbers: Literal["once", "each"] = "once"
    oldest_days: _Days = 730
    longest_period_days: _Days = 63
    reach: _Count = 15_000
    orders_per_call: _Count = 100
    refusal_status: Literal[200, 400] = 200
    rows_per_basket: _Count = 20
    shipping_states: tuple[int, ...] = (100, 200, 300, 500, 600, 700)
    unnoted_states: tuple[int, ...] = (900,)
    items_have_texts: bool = False
    coupons_shrink: bool = True
    async_delay_seconds: _Seconds = 5.0
    async_kept_days: _Days = 30
    processing_seconds: _Seconds = 60.0
    billing_seconds: _Seconds = 86_400.0
    settling_seconds: _Seconds = 172_800.0
    cancelling_seconds: _Seconds = 60.0
    resettling_seconds: _Seconds = 60.0
    unconfirmed_days: _Days = 14
    night_run_minutes: Annotated[int, Field(ge=0, lt=1440)] = 5
    waits_for_payment: tuple[int, ...] = (9, 13, 14)
    failed_authorisation_leads_to: Literal[800, 900] = 900
    event_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 10.0
    event_retry_seconds: tuple[_Seconds, ...] = (60.0, 300.0, 1800.0)
    mail_size_limit_bytes: Annotated[int, Field(ge=1)] = 10 * 1024 * 1024
    mail_checks_author: bool = True
    mail_takes_plain_text_alone: bool = False
