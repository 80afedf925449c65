"""Who issues an account's qualified invoices: the number's check digit, what is refused by name, what the fact says."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from account_bench import SCOPES, Bench, open_bench, prepare
from hypothesis import given
from hypothesis import strategies as st

from account_svc.domain.issuers import LONGEST_NAME, check_digit, find_fault_of_name, find_fault_of_number
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

# The National Tax Agency's own number, which its explanation of check digits uses: 7000012050002.
KNOWN = "T7000012050002"
NAMED = {"name": "見本株式会社", "number": KNOWN}
TWELVE = st.text("0123456789", min_size=12, max_size=12)


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


def test_a_number_that_is_known_to_be_right_is_right() -> None:
    assert check_digit(KNOWN[2:]) == 7
    assert find_fault_of_number(KNOWN) is None


@given(TWELVE)
def test_of_ten_first_digits_one_is_right(twelve: str) -> None:
    right = [digit for digit in range(10) if find_fault_of_number(f"T{digit}{twelve}") is None]
    assert right == [check_digit(twelve)]
    assert 1 <= right[0] <= 9


@given(TWELVE, st.integers(0, 11), st.integers(1, 8))
def test_one_digit_that_was_mistyped_is_found(twelve: str, place: int, added: int) -> None:
    # By 9 the digits 0 and 9 are one: that mistake alone is not found.
    mistyped = (int(twelve[place]) + added) % 9
    if mistyped == int(twelve[place]) % 9:
        return
    wrong = twelve[:place] + str(mistyped) + twelve[place + 1 :]
    fault = find_fault_of_number(f"T{check_digit(twelve)}{wrong}")
    assert fault is not None
    assert fault.code == "check-digit-wrong"


@given(st.text(max_size=20))
def test_any_text_is_judged(text: str) -> None:
    fault = find_fault_of_number(text)
    assert fault is None or (fault.why.ja and fault.why.en and fault.why.ja != fault.why.en)
    find_fault_of_name(text)


@pytest.mark.row("A17", kind="walks")
async def test_an_issuer_is_named_shown_told_and_taken_back(bench: Bench) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/issuer"
    assert made["issuer"] is None
    named = await bench.public.put(path, json=NAMED, headers={"If-Match": '"v1"'})
    assert (named.status_code, named.json(), named.headers["etag"]) == (200, NAMED, '"v2"')
    assert (await bench.show(made["id"]))["issuer"] == NAMED
    again = await bench.public.put(path, json=NAMED, headers={"If-Match": '"v2"'})
    assert again.headers["etag"] == '"v2"'
    gone = [await bench.public.delete(path) for _ in range(2)]
    assert [one.status_code for one in gone] == [204, 204]
    assert (await bench.show(made["id"]))["issuer"] is None
    told = [(kind, fact["issuer"]) for kind, fact in await bench.facts(made["id"])]
    assert told == [
        ("hanro.account.linked.v1", None),
        ("hanro.account.changed.v1", {"registered_name": "見本株式会社", "number": KNOWN}),
        ("hanro.account.changed.v1", None),
    ]


@pytest.mark.row("A17", kind="refuses")
@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"number": "T8000012050002"}, "/number", "check-digit-wrong"),
        ({"number": "T７０００01205000２"}, "/number", "field-full-width"),
        ({"number": f" {KNOWN}"}, "/number", "field-padded"),
        ({"number": f"{KNOWN}\u3000"}, "/number", "field-padded"),
        ({"number": KNOWN.lower()}, "/number", "field-malformed"),
        ({"number": KNOWN[1:]}, "/number", "field-malformed"),
        ({"number": "T7-0000-1205-0002"}, "/number", "field-malformed"),
        ({"number": f"{KNOWN}0"}, "/number", "field-malformed"),
        ({"number": f"{KNOWN[:-1]}٢"}, "/number", "field-malformed"),
        ({"number": ""}, "/number", "field-missing"),
        ({"name": "\u3000"}, "/name", "field-missing"),
        ({"name": "見本 "}, "/name", "field-padded"),
        ({"name": "見\u200b本"}, "/name", "field-unreadable"),
        ({"name": "あ" * (LONGEST_NAME + 1)}, "/name", "string-too-long"),
    ],
)
async def test_what_is_no_issuer_is_refused_by_name(
    bench: Bench, change: dict[str, str], pointer: str, code: str
) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/issuer"
    answer = await bench.public.put(path, json=NAMED | change, headers={"If-Match": '"v1"'})
    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    assert next(iter(change.values())).strip() not in answer.text or not next(iter(change.values())).strip()
    assert (await bench.show(made["id"]))["issuer"] is None


@pytest.mark.row("A17", kind="refuses")
async def test_an_issuer_is_named_by_who_read_the_account_last_and_may_see_it(bench: Bench) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/issuer"
    assert (await bench.public.put(path, json=NAMED)).status_code == 428
    assert (await bench.public.put(path, json=NAMED, headers={"If-Match": '"v9"'})).status_code == 412
    stranger = bearer(*SCOPES, shops=("shp_other",))
    foreign = await bench.public.put(path, json=NAMED, headers=stranger | {"If-Match": '"v1"'})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "shop-not-yours")
    assert (await bench.public.delete(path, headers=stranger)).status_code == 403
    assert (await bench.public.delete("/v1/accounts/acc_none/issuer")).status_code == 404


async def test_of_twins_that_name_an_issuer_at_once_one_is_told_to_read_again(bench: Bench) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/issuer"
    answers = await asyncio.gather(
        *(
            bench.public.put(path, json=NAMED | {"name": f"見本{number}"}, headers={"If-Match": '"v1"'})
            for number in range(4)
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 412, 412, 412]
    assert [fact["version"] for _, fact in await bench.facts(made["id"])] == [1, 2]


@pytest.mark.row("A17", kind="refuses")
@pytest.mark.parametrize("state", ["unlinking", "unlinked"])
async def test_an_account_that_is_unlinked_names_no_issuer(bench: Bench, state: str) -> None:
    made = await bench.link()
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = $1", state)
    path = f"/v1/accounts/{made['id']}/issuer"
    answer = await bench.public.put(path, json=NAMED, headers={"If-Match": '"v1"'})
    assert (answer.status_code, answer.json()["code"]) == (409, "account-state")
    assert answer.json()["possible"] == ([] if state == "unlinking" else ["link-again"])
