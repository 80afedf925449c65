"""The sandbox keeps the rules that every plug-in keeps, against its simulator as a process."""

import re
from collections.abc import Callable, Iterator

import pytest
from sandbox_market import FOLDER, SandboxMarket, running_simulator

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
from hanro.testing.schemas import create_shared_tables
from hanro_local.databases import SchemaUrls
from hanro_sandbox import functions


@pytest.fixture(scope="module")
def market() -> Iterator[SandboxMarket]:
    with running_simulator() as port:
        yield SandboxMarket(port)


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
    """Rule 4, what the seller set up there."""


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
    """Rule 13."""


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


class TestLostAnswers(writing.LostAnswers):
    """Rule 17."""


class TestBatches(batches.Batches):
    """Rule 18."""


class TestPlans(planning.Plans):
    """Rule 21, orders."""


class TestPace(pace.Pace):
    """Rule 22."""


class TestPushed(pushing.Pushed):
    """Rule 24."""


class TestOrderFiles(files.OrderFiles):
    """Rule 25, what is read."""


class TestCarriers(carriers.Carriers):
    """Rule 26, what is declared."""


class TestSecrecy(secrecy.Secrecy):
    """Rule 27."""


def test_every_function_stands_in_the_ledger() -> None:
    """Rule 28."""
    ledger = (FOLDER / "README.md").read_text(encoding="utf-8").partition("## Ledger")[2]
    words = set(re.split(r"[\s,|`]+", ledger))
    names = {one.name for one in vars(functions).values() if isinstance(one, functions.Function)}
    assert names
    assert sorted(names - words) == []
