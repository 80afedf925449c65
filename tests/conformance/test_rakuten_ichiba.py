"""Rakuten Ichiba keeps the rules that every plug-in keeps, against its simulator as a process."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import broken_plugins as broken
import pytest
from ichiba_market import DAY_SECONDS, FOLDER, IchibaMarket
from ichiba_wire import running_simulator

from hanro.errors import Rejected
from hanro.marketplace.types import Capability, Carrier, CsvLayout
from hanro.testing.conformance import (
    SCHEMA,
    absence,
    batches,
    cancelling,
    carriers,
    declared,
    files,
    finding,
    forms,
    linking,
    mapping,
    pace,
    planning,
    pushing,
    reading,
    refusing,
    secrecy,
    shipping,
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
    # Nothing of one test must move on while another looks at the digest of the whole state: neither orders that were
    # accepted, cancelled or changed nor notices whose receiver is gone.
    late = ("processing_seconds", "cancelling_seconds", "resettling_seconds")
    assumptions = dict.fromkeys(late, DAY_SECONDS) | {"event_retry_seconds": [DAY_SECONDS]}
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
    """Rule 12."""


class TestDeciding(writing.Deciding):
    """Rule 13, accepting."""


class TestLostAnswers(writing.LostAnswers):
    """Rule 17."""


class TestBatches(batches.Batches):
    """Rule 18."""


class TestShipping(shipping.Shipping):
    """Rule 14."""


class TestCancelling(cancelling.Cancelling):
    """Rule 15."""


class TestTickets(shipping.Tickets):
    """Rule 16."""


class TestLostParcels(shipping.LostParcels):
    """Rule 17, parcels."""


class TestLostCancellations(cancelling.LostCancellations):
    """Rule 17, cancellations."""


class TestShippingBatches(shipping.ShippingBatches):
    """Rule 18, parcels."""


class TestCancellingBatches(cancelling.CancellingBatches):
    """Rule 18, cancellations."""


class TestPlans(planning.Plans):
    """Rule 21, orders."""


class TestPushed(pushing.Pushed):
    """Rule 24."""


class TestPace(pace.Pace):
    """Rule 22."""


class TestOrderFiles(files.OrderFiles):
    """Rule 25, what is read."""


class TestCarriers(carriers.Carriers):
    """Rule 26, what is declared."""


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


async def _use_a_dead_key(market: Market, database_url: str) -> None:
    check = refusing.Refusals().test_a_dead_key_needs_the_seller_in_every_method_and_names_its_grant
    await check(market, database_url, "revoke")


async def _spoil_an_order(market: Market, database_url: str) -> None:
    check = reading.Unreadable().test_one_bad_order_is_kept_raw_and_all_others_arrive
    await check(market, database_url, "unreadable", "unreadable")


async def _cancel_units(market: Market, database_url: str) -> None:
    check = cancelling.Cancelling().test_units_and_lines_go_and_the_rest_stays_with_its_sums
    await check(market, database_url, Capability.CANCEL_QUANTITY, 1)


async def _lose_parcels(market: Market, database_url: str) -> None:
    check = shipping.LostParcels().test_a_lost_answer_is_in_doubt_and_verifying_tells_the_truth
    await check(market, database_url, "reset-before", {}, count=1, stands=False)


async def _lose_a_cancellation(market: Market, database_url: str) -> None:
    check = cancelling.LostCancellations().test_a_lost_answer_is_in_doubt_and_verifying_tells_the_truth
    await check(market, database_url, "reset-before", {}, is_whole=True, stands=False)


async def _push_with_another_key(market: Market, _: str) -> None:
    pushing.Pushed().test_another_key_gives_no_notice_and_its_reply(market, "another")


ROUTES, PAGING, FETCHING, DECIDING = finding.Routes(), finding.Paging(), reading.Fetching(), writing.Deciding()
BROKEN: dict[str, tuple[RakutenIchiba, Check]] = {
    "3": (
        broken.WithAccess(broken.Silent),
        absence.Capabilities().test_what_is_absent_is_refused_with_its_reason_and_path_before_any_request,
    ),
    "4": (broken.WithAccess(broken.Hopeful), linking.Probes().test_a_grant_that_is_off_denies_its_own_row_alone),
    "5": (broken.WithOrders(broken.Calm), _see_an_outage),
    "5, parcels": (broken.WithOrders(broken.Blithe), _use_a_dead_key),
    "5, queued parcels": (broken.WithOrders(broken.Careless), _use_a_dead_key),
    "5, cancellations": (broken.WithOrders(broken.Merry), _use_a_dead_key),
    "5, grants": (
        broken.Greedy(),
        refusing.Refusals().test_a_grant_that_is_off_stops_the_calls_that_declare_it_and_no_others,
    ),
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
    "12, details": (
        broken.WithOrders(broken.Poor),
        FETCHING.test_details_asked_for_arrive_and_leave_what_lacks,
    ),
    "14": (
        broken.WithOrders(broken.Hasty),
        shipping.Shipping().test_several_parcels_are_registered_and_only_the_last_lets_the_order_go,
    ),
    "15": (broken.WithOrders(broken.Sweeping), _cancel_units),
    "16": (
        broken.WithOrders(broken.Impatient),
        shipping.Tickets().test_a_lost_ticket_is_in_doubt_only_once_it_is_given_up,
    ),
    "17, parcels": (broken.WithOrders(broken.Trustful), _lose_parcels),
    "17, cancellations": (broken.WithOrders(broken.Trustful), _lose_a_cancellation),
    "18, parcels": (
        broken.WithOrders(broken.Backward),
        shipping.ShippingBatches().test_a_full_batch_is_carried_out_in_the_order_asked,
    ),
    "18, cancellations": (
        broken.WithOrders(broken.Bundling),
        cancelling.CancellingBatches().test_a_doubled_key_or_one_too_many_is_our_bug_and_outcomes_keep_their_order,
    ),
    "21": (broken.Unplanned(), planning.Plans().test_a_plan_equals_the_journal_of_the_write_that_follows),
    "21, problems": (
        broken.Unplanned(),
        planning.Plans().test_what_a_plan_calls_blocking_comes_back_rejected_without_a_request,
    ),
    "24": (broken.Open(), _push_with_another_key),
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


CARRIERS = carriers.Carriers()
BROKEN_CARRIERS: dict[str, tuple[Callable[[Carrier], Carrier], Callable[[Market], None]]] = {
    "a form that takes one digit too few": (
        lambda one: replace(one, number_pattern="[0-9]{9,}"),
        CARRIERS.test_good_numbers_pass_and_bad_ones_are_named_where_the_form_is_public,
    ),
    "a form without its numbers": (
        lambda one: replace(one, number_pattern=one.number_pattern or ".*"),
        CARRIERS.test_good_numbers_pass_and_bad_ones_are_named_where_the_form_is_public,
    ),
    "a page without a place for the number": (
        lambda one: replace(one, tracking_url=one.tracking_url and one.tracking_url.replace("{", "")),
        CARRIERS.test_a_page_holds_the_number_percent_encoded_and_no_other_gap,
    ),
    "a name that two have": (
        lambda one: replace(one, aliases=(*one.aliases, "another")),
        CARRIERS.test_each_carrier_is_found_by_its_code_its_names_and_its_aliases_alone,
    ),
}


@pytest.mark.parametrize("how", BROKEN_CARRIERS)
def test_a_broken_catalogue_turns_rule_26_red(market: IchibaMarket, how: str) -> None:
    spoil, check = BROKEN_CARRIERS[how]
    plugin = RakutenIchiba()
    plugin.carriers = replace(plugin.carriers, carriers=tuple(map(spoil, plugin.carriers.carriers)))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(replace(market, plugin=plugin))


FILES = files.OrderFiles()
BROKEN_FILES: dict[str, tuple[Callable[[CsvLayout], CsvLayout], Callable[[Market], None]]] = {
    "it asks for no column": (
        lambda one: replace(one, columns=tuple(replace(column, is_required=False) for column in one.columns)),
        FILES.test_a_missing_a_renamed_and_a_doubled_column_are_named,
    ),
    "it knows one encoding and says two": (
        lambda one: replace(one, encodings=("ascii", *one.encodings)),
        FILES.test_each_layout_reads_its_file_in_every_encoding,
    ),
    "it covers parcels": (
        lambda one: replace(one, covers=one.covers | {"packages.parcels"}),
        FILES.test_what_a_layout_covers_it_states_and_states_as_the_api_does,
    ),
    "it reads the first row of an order": (
        lambda one: replace(one, read=lambda rows: broken.read_of(one)(rows[:1])),
        FILES.test_rows_of_an_order_may_stand_apart,
    ),
    "it names the first row for each fault": (
        lambda one: replace(one, read=lambda rows: broken.read_of(one)(tuple(replace(r, number=2) for r in rows))),
        FILES.test_what_cannot_be_read_is_told_with_its_row_and_column,
    ),
}


@pytest.mark.parametrize("how", BROKEN_FILES)
def test_a_broken_layout_turns_rule_25_red(market: IchibaMarket, how: str) -> None:
    spoil, check = BROKEN_FILES[how]
    plugin = RakutenIchiba()
    plugin.order_layouts = tuple(map(spoil, plugin.order_layouts))
    with pytest.raises((AssertionError, ValueError, Rejected)):
        check(replace(market, plugin=plugin))


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
