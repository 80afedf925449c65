"""Checks rule 24: pushed notices are hints, believed with the shop's key alone, and answered as documented."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from datetime import UTC, datetime

import pytest

from hanro.marketplace.port import Secrets
from hanro.marketplace.types import Capability, NoticeKind, Notices, Supported
from hanro.testing.conformance.market import Market

NUMBER = "999001-20260511-0123456789"
KEY = "canary-key-of-notices"


class Pushed:
    """Rule 24."""

    def test_a_good_notice_names_its_order_and_is_the_same_fifty_times(self, market: Market) -> None:
        if not _can(market):
            return
        for kind in (NoticeKind.ORDER_PLACED, NoticeKind.ORDER_RELEASED):
            body = market.notice(kind, NUMBER, KEY)
            first = _read(market, body)
            (notice,) = first.notices
            assert (notice.kind, notice.order_ids) == (kind, (NUMBER,))
            assert notice.external_id
            assert all(_read(market, body) == first for _ in range(50))
            assert (first.stored.status, first.stored.body) == (200, market.notice_replies["stored"])
            assert (first.failed.status, first.failed.body) == (200, market.notice_replies["failed"])

    @pytest.mark.parametrize("key", ["", "another", KEY + "x", KEY[:-1], KEY.upper()])
    def test_another_key_gives_no_notice_and_its_reply(self, market: Market, key: str) -> None:
        if not _can(market):
            return
        found = _read(market, market.notice(NoticeKind.ORDER_PLACED, NUMBER, key))
        assert found.notices == ()
        assert found.stored.body == found.failed.body == market.notice_replies["wrong-key"]

    def test_a_shop_without_a_key_believes_nobody(self, market: Market) -> None:
        if not _can(market):
            return
        for key in ("", "x"):
            body = market.notice(NoticeKind.ORDER_PLACED, NUMBER, key)
            found = market.plugin.read_notice(body, {}, _secrets({}))
            assert (found.notices, found.stored.body) == ((), market.notice_replies["wrong-key"])

    def test_what_is_no_notice_gives_none_and_its_reply(self, market: Market) -> None:
        if not _can(market):
            return
        good = market.notice(NoticeKind.ORDER_PLACED, NUMBER, KEY)
        bomb = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
        outside = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
        broken = (
            good[:-5],
            b"",
            b"\xff\xfe\x00",
            b"<other/>",
            bomb + good,
            outside + good.replace(NUMBER.encode(), b"&a;"),
            (bomb.decode() + good.decode()).encode("utf-16"),
            good.replace(b"</", b" " * 1_100_000 + b"</", 1),
        )
        for body in broken:
            found = _read(market, body)
            assert found.notices == ()
            assert found.stored.body == found.failed.body == market.notice_replies["malformed"], body[:80]

    def test_nothing_shows_the_key(self, market: Market) -> None:
        if not _can(market):
            return
        for key in (KEY, "canary-of-another"):
            found = _read(market, market.notice(NoticeKind.ORDER_PLACED, NUMBER, key))
            assert "canary" not in repr(found) + found.stored.body.decode() + found.failed.body.decode()


def _can(market: Market) -> bool:
    return isinstance(market.plugin.capabilities[Capability.NOTICES], Supported)


def _read(market: Market, body: bytes) -> Notices:
    return market.plugin.read_notice(body, {}, _secrets(market.notice_secrets(KEY)))


def _secrets(values: dict[str, str]) -> Secrets:
    return Secrets(values=values, version=1, stored_at=datetime(2026, 6, 1, tzinfo=UTC))
