"""Rakuten Ichiba keeps the rules that every plug-in keeps, against its simulator as a process."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import broken_plugins as broken
import pytest
from ichiba_market import DAY_SECONDS, FOLDER, IchibaMarket
from ichiba_wire import running_simulator

from hanro.testing.conformance import (
    SCHEMA,
    absence,
    batches,
    declared,
    finding,
    forms,
    linking,
    mapping,
    pace,
    reading,
    refusing,
    secrecy,
    texts,
    writing,
)
from hanro.testing.conformance.market import Market
from hanro.testing.schemas import create_shared_tables
from hanro_local.databases import SchemaUrls
from hanro_rakuten_ichiba.functions import FUNCTIONS
from hanro_rakuten_ichiba.plugin import RakutenIchiba

Check = Callable[[Market, str], Awaitable[None]]


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IchibaMarket]:
    # Accepted orders of one test must not move on while another looks at the digest of the whole state.
    assumptions = {"processing_seconds": DAY_SECONDS}
    with running_simulator(tmp_path_factory.mktemp("simulator"), assumptions) as simulator:
        yield IchibaMarket(simulator)


@pytest.fixture
def database_url(make_database: Callable[..., SchemaUrls]) -> str:
    return make_database(SCHEMA, create_shared_tables).runtime


class TestDeclared(declared.Declared):
    """Rule 1."""


class TestForms(forms.Forms):
    """Rule 2."""


class TestCapabilities(absence.Capabilities):
    """Rule 3."""


class TestProbes(linking.Probes):
    """Rule 4."""


class TestMarketInformations(linking.MarketInformations):
    """Rule 4, what the seller set up."""


class TestRefusals(refusing.Refusals):
    """Rule 5."""


class TestRoutes(finding.Routes):
    """Rule 6."""


class TestPaging(finding.Paging):
    """Rule 7."""


class TestUnreadable(reading.Unreadable):
    """Rule 8."""


class TestPayloads(mapping.Payloads):
    """Rule 9."""


class TestTimes(mapping.Times):
    """Rule 10."""


class TestTexts(texts.Texts):
    """Rule 11."""


class TestFetching(reading.Fetching):
    """Rule 12, without payments."""


class TestDeciding(writing.Deciding):
    """Rule 13, accepting."""


class TestLostAnswers(writing.LostAnswers):
    """Rule 17."""


class TestBatches(batches.Batches):
    """Rule 18."""


class TestPace(pace.Pace):
    """Rule 22."""


class TestSecrecy(secrecy.Secrecy):
    """Rule 27."""


OPERATIONS = """
searchOrder getOrder confirmOrder updateOrderShipping updateOrderShippingAsync getResultUpdateOrderShippingAsync
getSubStatusList updateOrderSubStatus updateOrderMemo updateOrderRemarks updateOrderSender
updateOrderSenderAfterShipping cancelOrder cancelOrderAfterShipping updateOrderOrderer updateOrderDelivery
simulateCouponAmount getPayment searchOrderItem getOrderItem expiry-date shopMaster deliverySetInfo soryoKbn
shopAreaSoryo delvAreaMaster delvdateMaster operationLeadTime shipFrom shopCalendar shopCalendarAndDesign
shopHoliday shopStatus topDisplay notification relay CSV
"""


def test_every_operation_of_the_dossier_stands_in_the_ledger() -> None:
    """Rule 28."""
    ledger = (FOLDER / "README.md").read_text(encoding="utf-8").partition("## Ledger")[2].partition("\n## ")[0]
    operations = {*OPERATIONS.split(), *(function.name for function in FUNCTIONS)}
    words = set(re.split(r"[\s,|]+", ledger))
    assert sorted(name for name in operations if not any(word.endswith(name) for word in words)) == []


async def _lose_an_answer(market: Market, database_url: str) -> None:
    check = writing.LostAnswers().test_a_lost_answer_is_in_doubt_and_verifying_tells_the_truth
    await check(market, database_url, "reset-before", {}, stands=False)


async def _see_an_outage(market: Market, database_url: str) -> None:
    check = refusing.Refusals().test_an_outage_is_retryable_in_every_method
    await check(market, database_url, "reset-before", {}, "unavailable")


async def _spoil_an_order(market: Market, database_url: str) -> None:
    check = reading.Unreadable().test_one_bad_order_is_kept_raw_and_all_others_arrive
    await check(market, database_url, "unreadable", "unreadable")


ROUTES, PAGING, FETCHING, DECIDING = finding.Routes(), finding.Paging(), reading.Fetching(), writing.Deciding()
BROKEN: dict[str, tuple[RakutenIchiba, Check]] = {
    "3": (
        broken.WithOrders(broken.Silent),
        absence.Capabilities().test_what_is_absent_is_refused_with_its_reason_and_path_before_any_request,
    ),
    "4": (broken.WithAccess(broken.Hopeful), linking.Probes().test_a_grant_that_is_off_denies_its_own_row_alone),
    "5": (broken.WithOrders(broken.Calm), _see_an_outage),
    "6": (
        broken.WithOrders(broken.OneWay),
        ROUTES.test_each_route_shows_the_statuses_it_says_and_every_state_is_read_as_declared,
    ),
    "7": (
        broken.WithOrders(broken.Skipping),
        PAGING.test_a_run_resumed_at_any_cursor_equals_the_unbroken_run,
    ),
    "8": (broken.WithOrders(broken.Squeamish), _spoil_an_order),
    "9": (broken.WithOrders(broken.Trusting), mapping.Payloads().test_a_wrong_sum_is_told_and_kept),
    "10": (
        broken.WithOrders(broken.Local),
        mapping.Times().test_the_zone_of_the_process_changes_nothing_over_a_clock_change,
    ),
    "11": (broken.WithOrders(broken.Cutting), texts.Texts().test_awkward_characters_survive_inwards),
    "12": (
        broken.WithOrders(broken.Forgetful),
        FETCHING.test_orders_are_read_in_every_status_and_the_unknown_are_missing,
    ),
    "13": (broken.WithOrders(broken.Fresh), DECIDING.test_accepting_twice_is_a_repeat_and_one_write),
    "17, writing": (broken.WithOrders(broken.Stubborn), _lose_an_answer),
    "17, verifying": (broken.WithOrders(broken.Sure), _lose_an_answer),
    "18": (
        broken.WithOrders(broken.Backward),
        batches.Batches().test_the_refused_of_a_batch_keep_their_words_and_fail_no_other,
    ),
    "22": (
        broken.WithOrders(broken.Single),
        pace.Pace().test_each_call_costs_what_its_batch_says_in_its_groups_alone,
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
async def test_a_broken_plug_in_turns_its_rule_red(market: IchibaMarket, database_url: str, rule: str) -> None:
    plugin, check = BROKEN[rule]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await check(replace(market, plugin=plugin), database_url)
    market.open_shop().controls.heal()


@pytest.mark.parametrize(
    "line", ["open('/etc/hostname')", "os.environ['HOME']", "os.environ.get('HOME')", "socket.create_server(('', 0))"]
)
def test_an_import_that_reaches_out_turns_rule_1_red(tmp_path: Path, line: str) -> None:
    (tmp_path / "reaching_out.py").write_text(f"import os, socket\n{line}\n")
    assert declared.effects_of_import("reaching_out", "reaching_out", tmp_path) != "[]"
