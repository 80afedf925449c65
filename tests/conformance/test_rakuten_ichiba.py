"""Rakuten Ichiba keeps the rules that every plug-in keeps, against its simulator as a process."""

from collections.abc import Callable, Iterator

import pytest
from ichiba_market import FOLDER, IchibaMarket
from ichiba_wire import running_simulator

from hanro.testing.conformance import (
    SCHEMA,
    absence,
    batches,
    declared,
    finding,
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


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as simulator:
        yield IchibaMarket(simulator)


@pytest.fixture
def database_url(make_database: Callable[..., SchemaUrls]) -> str:
    return make_database(SCHEMA, create_shared_tables).runtime


class TestDeclared(declared.Declared):
    """Rule 1."""


class TestCapabilities(absence.Capabilities):
    """Rule 3."""


class TestProbes(linking.Probes):
    """Rule 4."""


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
    assert [name for name in OPERATIONS.split() if name not in ledger] == []
