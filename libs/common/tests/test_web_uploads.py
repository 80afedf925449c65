"""A file is taken in as it comes, raw or in a form cut anywhere, and nothing malformed passes for one."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request

from hanro.errors import Rejected
from hanro.testing.callers import SpokenCallers, bearer
from hanro.web import file_body, require, router, uploads
from hanro.web.edge import handle_failure
from hanro.web.guard import Guard
from hanro.web.problems import Problem

LARGEST = 3000
HEADERS = bearer("orders:write")
FORM = {"Content-Type": "multipart/form-data; boundary=b0und"}
FILE = b"a,b\r\n1,\r\n--b0un\r\n2,3\r\n"
BODY = (
    b'preamble\r\n--b0und\r\nContent-Disposition: form-data; name="mode"\r\n\r\nupdate'
    b'\r\n--b0und\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\nContent-Type: text/csv\r\n\r\n'
    + FILE
    + b'\r\n--b0und\r\nContent-Disposition: form-data; name="account_id"\r\n\r\nacc_1\r\n--b0und--\r\nepilogue'
)


def routes() -> APIRouter:
    made = router(["files"])

    @made.post("/files", dependencies=[require("orders:write"), file_body(LARGEST)])
    async def take(request: Request) -> dict[str, object]:
        pieces: list[bytes] = []

        async def keep(piece: bytes) -> None:
            pieces.append(piece)

        fields = await uploads.receive(request, keep)
        return {"fields": fields, "file": b"".join(pieces).decode(), "largest": max(map(len, pieces), default=0)}

    return made


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(exception_handlers={Problem: handle_failure, Rejected: handle_failure})
    app.router.routes.extend(routes().routes)
    app.state.guard = Guard(SpokenCallers(), None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=HEADERS) as made:
        yield made


async def cut(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
async def test_a_form_is_read_however_it_is_cut_and_its_fields_may_stand_on_both_sides(
    client: httpx.AsyncClient, size: int
) -> None:
    answer = await client.post("/files", headers=FORM, content=cut(BODY, size))
    assert answer.json()["fields"] == {"mode": "update", "account_id": "acc_1"}
    assert answer.json()["file"].encode() == FILE


async def test_a_raw_file_comes_in_pieces(client: httpx.AsyncClient) -> None:
    answer = await client.post("/files", headers={"Content-Type": "text/csv; charset=cp932"}, content=cut(FILE, 5))
    assert (answer.json()["file"].encode(), answer.json()["largest"], answer.json()["fields"]) == (FILE, 5, {})


@pytest.mark.parametrize("kind", ["text/csv", "multipart/form-data; boundary=b0und"])
@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_file_that_is_too_large_is_413(client: httpx.AsyncClient, kind: str, *, is_announced: bool) -> None:
    big = BODY.replace(FILE, b"x" * (LARGEST + 1))
    content = big if is_announced else cut(big, 100)
    answer = await client.post("/files", headers={"Content-Type": kind}, content=content)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(("more", "taken"), [({}, 50), ({"Expect": "100-continue"}, 0)])
async def test_who_still_sends_what_is_refused_is_heard_out_unless_it_asked_first(
    client: httpx.AsyncClient, more: dict[str, str], taken: int
) -> None:
    sent = []

    async def pieces() -> AsyncIterator[bytes]:
        for place in range(50):
            sent.append(place)
            yield b"x" * 100

    headers = {"Content-Type": "text/csv", "Content-Length": "5000", **more}
    answer = await client.post("/files", headers=headers, content=pieces())
    assert (answer.status_code, len(sent)) == (413, taken)


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain"])
async def test_another_media_type_is_415(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/files", headers={"Content-Type": kind}, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (415, "media-type-unsupported")


def spoiled(*changes: tuple[bytes, bytes]) -> bytes:
    body = BODY
    for before, after in changes:
        body = body.replace(before, after)
    return body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b0und--\r\n",
        spoiled((b"\r\n--b0und--\r\nepilogue", b"")),
        spoiled((b'; filename="x.csv"', b"")),
        spoiled((b'name="mode"', b'name="mode"; filename="y.csv"')),
        spoiled((b'form-data; name="mode"', b"form-data")),
        spoiled((b"update", b"u" * 1001)),
        spoiled((b"update", b"\xff")),
        spoiled((b"--b0und\r\n", b"--b0und x\r\n")),
    ],
)
async def test_a_form_that_is_malformed_is_422(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/files", headers=FORM, content=cut(body, 50))
    assert (answer.status_code, answer.json()["code"]) == (422, "request-malformed")


async def test_a_form_without_a_boundary_is_422(client: httpx.AsyncClient) -> None:
    answer = await client.post("/files", headers={"Content-Type": "multipart/form-data"}, content=BODY)
    assert (answer.status_code, answer.json()["code"]) == (422, "request-malformed")
