"""Vended secrets: how fresh, how old at most, and what a refusal or a later fact changes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from hanro.clock import SystemClock
from hanro.credentials import Vending
from hanro.errors import ContractBroken, NeedsSeller, Rejected, Retryable
from hanro.http import ServiceHttp
from hanro.testing.clock import FixedClock
from hanro.testing.http_server import Behaviour, HttpServer, answer, http_server

CANARY = "canary-77c0"


class _Tokens:
    async def token(self) -> str:
        return "token-1"


@dataclass(frozen=True)
class _Heard:
    version: int = 1
    epoch: int = 2
    credential_version: int = 1
    is_working: bool = True


def _vends(version: int = 1, **more: object) -> Behaviour:
    vended = {
        "values": {"license_key": CANARY},
        "version": version,
        "stored_at": "2026-07-01T00:00:00Z",
        "account_epoch": 2,
        "marketplace_id": "sandbox",
        **more,
    }
    return answer(json.dumps(vended).encode())


def _problem(status: int, code: str, **more: object) -> Behaviour:
    return answer(json.dumps({"status": status, "code": code, "detail": "Why not.", **more}).encode(), status=status)


@asynccontextmanager
async def _vending(behave: Behaviour) -> AsyncIterator[tuple[HttpServer, Vending, FixedClock]]:
    async with http_server(behave) as server:
        clock, http = FixedClock(), ServiceHttp(server.url, SystemClock())
        yield server, Vending(http, _Tokens(), clock, service="order-svc"), clock
        await http.close()


async def test_secrets_are_asked_for_by_name_and_purpose() -> None:
    async with _vending(_vends()) as (server, vending, _):
        vended = await vending.secrets("acc_1", heard=_Heard(), purpose="poll")
    assert (vended.account_epoch, vended.marketplace_id, vended.secrets.version) == (2, "sandbox", 1)
    assert vended.secrets.values == {"license_key": CANARY}
    assert vended.secrets.stored_at == datetime(2026, 7, 1, tzinfo=UTC)
    (arrived,) = server.arrived
    assert arrived.path == "/internal/v1/accounts/acc_1/credentials:vend"
    assert arrived.header("Authorization") == "Bearer token-1"
    assert json.loads(arrived.body) == {"service": "order-svc", "purpose": "poll"}
    assert CANARY not in repr(vended)


async def test_secrets_are_kept_for_a_minute_and_no_longer() -> None:
    async with _vending(_vends()) as (server, vending, clock):
        await vending.secrets("acc_1", heard=_Heard())
        clock.advance(59)
        await vending.secrets("acc_1", heard=_Heard())
        assert len(server.arrived) == 1
        clock.advance(1)
        server.behave = _vends(version=2)
        assert (await vending.secrets("acc_1", heard=_Heard())).secrets.version == 2
        await vending.secrets("acc_2", heard=_Heard())
    assert len(server.arrived) == 3


async def test_sessions_that_open_together_ask_once() -> None:
    async with _vending(_vends()) as (server, vending, _):
        await asyncio.gather(*(vending.secrets("acc_1", heard=_Heard()) for _ in range(5)))
    assert len(server.arrived) == 1


async def test_old_secrets_do_for_fifteen_minutes_while_account_svc_is_away() -> None:
    async with _vending(_vends()) as (server, vending, clock):
        await vending.secrets("acc_1", heard=_Heard())
        server.behave = _problem(503, "unavailable")
        clock.advance(14 * 60)
        assert (await vending.secrets("acc_1", heard=_Heard())).secrets.version == 1
        clock.advance(60)
        with pytest.raises(Retryable) as gone:
            await vending.secrets("acc_1", heard=_Heard())
    assert gone.value.code == "unavailable"


async def test_what_was_refused_is_not_used_any_more() -> None:
    async with _vending(_vends()) as (server, vending, _):
        await vending.secrets("acc_1", heard=_Heard())
        server.behave = _problem(503, "unavailable")
        vending.forget("acc_1")
        with pytest.raises(Retryable):
            await vending.secrets("acc_1", heard=_Heard())


async def test_a_fact_has_secrets_asked_for_again_whichever_process_heard_it() -> None:
    async with _vending(_vends()) as (server, vending, _):
        await vending.secrets("acc_1", heard=_Heard(version=3))
        assert (await vending.secrets("acc_1", heard=_Heard(version=2))).secrets.version == 1
        server.behave = _vends(version=2)
        assert (await vending.secrets("acc_1", heard=_Heard(version=4))).secrets.version == 2
        await vending.secrets("acc_1", heard=_Heard(version=4))
    assert len(server.arrived) == 2


@pytest.mark.parametrize(
    ("heard", "is_used"),
    [
        (_Heard(version=2), True),
        (_Heard(version=2, credential_version=2), False),
        (_Heard(version=2, epoch=3), False),
        (_Heard(version=2, is_working=False), False),
        (None, False),
    ],
)
async def test_old_secrets_outlive_a_fact_that_says_that_they_are_in_use(heard: _Heard | None, is_used: bool) -> None:  # noqa: FBT001  a case of the table
    async with _vending(_vends()) as (server, vending, clock):
        await vending.secrets("acc_1", heard=_Heard())
        server.behave = _problem(503, "unavailable")
        clock.advance(60)
        if is_used:
            assert (await vending.secrets("acc_1", heard=heard)).secrets.version == 1
            return
        with pytest.raises(Retryable) as gone:
            await vending.secrets("acc_1", heard=heard)
    assert gone.value.code == "unavailable"


async def test_an_answer_from_before_a_refusal_is_not_kept() -> None:
    async with _vending(_vends()) as (server, vending, clock):
        asking = asyncio.create_task(vending.secrets("acc_1", heard=_Heard()))
        while not server.arrived:
            await asyncio.sleep(0.001)
        clock.advance(1)
        vending.forget("acc_1")
        await asking
        await vending.secrets("acc_1", heard=_Heard())
    assert len(server.arrived) == 2


async def test_a_suspended_account_gets_no_secrets_also_when_they_were_kept_and_the_seller_is_told_what_to_do() -> None:
    async with _vending(_vends()) as (server, vending, clock):
        await vending.secrets("acc_1", heard=_Heard())
        clock.advance(60)
        server.behave = _problem(
            409,
            "credential-expired",
            kind="needs-seller",
            remedy={"ja": "更新", "en": "Renew"},
            menu={"steps": ["RMS"]},
        )
        with pytest.raises(NeedsSeller) as refused:
            await vending.secrets("acc_1", heard=_Heard())
        assert (refused.value.code, refused.value.why) == ("credential-expired", "Why not.")
        assert refused.value.remedy is not None
        assert refused.value.remedy.en == "Renew"
        assert refused.value.menu is not None
        assert refused.value.menu.steps == ("RMS",)
        server.behave = _problem(503, "unavailable")
        with pytest.raises(Retryable):
            await vending.secrets("acc_1", heard=_Heard())


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (404, Rejected, "not-found"),
        (410, Rejected, "unlinking"),
        (401, Retryable, "unavailable"),
        (429, Retryable, "unavailable"),
        (500, Retryable, "unavailable"),
        (403, ContractBroken, "unreadable"),
        (302, ContractBroken, "unreadable"),
    ],
)
async def test_each_refusal_says_who_must_act(status: int, kind: type[Exception], code: str) -> None:
    async with _vending(_problem(status, code)) as (_, vending, _):
        with pytest.raises(kind) as refused:
            await vending.secrets("acc_1", heard=_Heard())
    assert getattr(refused.value, "code", None) == code


@pytest.mark.parametrize("body", [b"<html>", b"{}", json.dumps({"values": CANARY}).encode()])
async def test_an_unreadable_answer_is_not_quoted(body: bytes) -> None:
    async with _vending(answer(body)) as (_, vending, _):
        with pytest.raises(ContractBroken) as broken:
            await vending.secrets("acc_1", heard=_Heard())
    assert CANARY not in f"{broken.value!r} {broken.value.__cause__!r}"
    assert broken.value.__suppress_context__
