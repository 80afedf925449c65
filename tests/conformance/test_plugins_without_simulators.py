"""Plug-ins that have a form and a guide and nothing else yet keep the rules that need no simulator: 1 to 3 and 28."""

import copy
import http.client
import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest

from hanro.errors import LocalizedText
from hanro.marketplace import installed
from hanro.marketplace.types import Absent, Capability, MarketplaceId
from hanro.testing.conformance import SCHEMA, absence, declared, forms
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.quiet import QuietMarket, quiet_market
from hanro.testing.schemas import create_shared_tables
from hanro_local.databases import SchemaUrls

FOLDERS = Path(__file__).parents[2] / "libs/marketplaces"
GOOD = {
    "qoo10_japan": {
        "user_id": "seller-999001",
        "password": "p4ssw+rd/=",
        "api_key": "S5bnbfynQvMsynthetic_g_1_key_g_3_",
        "api_key_expires_on": "2099-06-01",
    },
    "rakuten_france": {"login": "boutique-nord", "token": "0123456789abcdef" * 2, "ships_from_country": "249"},
}
NO_SIMULATOR = "rules 4 to 27 need a simulator, which comes with the functions: until then all is Absent (rule 3)"

OPERATIONS = {
    "qoo10_japan": """
        CreateCertificationKey GetSellerDeliveryGroupInfo GetCatagoryListAll SearchBrand SearchMaker SetNewGoods
        UpdateGoods EditGoodsStatus SetGoodsPriceQty EditGoodsContents EditGoodsImage EditGoodsMultiImage
        GetAllGoodsInfo GetItemDetailInfo GetGoodsInventoryInfo InsertInventoryDataUnit DeleteInventoryDataUnit
        UpdateInventoryDataBulk
        UpdateInventoryQtyUnit SetGoodsPriceQtyBulk GetShippingInfo_v3 GetShippingAndClaimInfoByOrderNo_V2
        SetSellerCheckYN_V2 SetSellerCheckYNBulk SetSendingInfo SetSendingInfoBulk GetClaimInfo_V3 SetCancelProcess
        SetClaimAccept SetClaimRedelivery GetInquiryMessage SetInquiryMessage CSV
    """,
    "rakuten_france": """
        getnewsales acceptsale refusesale getcurrentsales getbillinginformation getshippinginformation getitemtodolist
        getiteminfos cancelitem contactuseraboutitem contactusaboutitem settrackingpackageinfos importitemshippingstatus
        confirmpreorder getavailableshippingtypes getoperations getcompensationdetails producttypes producttypetemplate
        genericimportfile genericimportreport import importreport export listing categorymap purge_campaign
    """,
}


@pytest.fixture(scope="module", params=sorted(GOOD))
def market(request: pytest.FixtureRequest) -> Iterator[QuietMarket]:
    plugin = installed()[MarketplaceId(request.param)]
    with quiet_market(plugin, FOLDERS / request.param, GOOD[request.param]) as opened:
        yield opened


@pytest.fixture
def database_url(make_database: Callable[..., SchemaUrls]) -> str:
    return make_database(SCHEMA, create_shared_tables).runtime


class TestDeclared(declared.Declared):
    """Rule 1."""


class TestForms(forms.Forms):
    """Rule 2."""


class TestCapabilities(absence.Capabilities):
    """Rule 3."""


@pytest.mark.parametrize("marketplace_id", sorted(GOOD))
@pytest.mark.xfail(strict=True, raises=ModuleNotFoundError, reason=NO_SIMULATOR)
def test_it_keeps_the_rules_that_need_a_simulator(marketplace_id: str) -> None:
    importlib.import_module(f"hanro_{marketplace_id}.simulator")


def test_every_operation_of_the_dossier_stands_in_the_ledger(market: QuietMarket) -> None:
    """Rule 28."""
    ledger = (market.folder / "README.md").read_text(encoding="utf-8").partition("## Ledger")[2]
    assert [name for name in OPERATIONS[market.plugin.id].split() if name not in ledger] == []


def test_nothing_can_be_done_yet_and_every_reason_says_so(market: QuietMarket) -> None:
    reasons = {found.reason.en for found in market.plugin.capabilities.values() if isinstance(found, Absent)}
    assert len(market.plugin.capabilities) == len(Capability)
    assert len(reasons) == 1
    assert "not in this version" in reasons.pop()
    assert all(isinstance(channel, Absent) for channel in market.plugin.channels.values())


def test_a_text_that_is_equal_in_both_languages_turns_rule_1_red(market: QuietMarket) -> None:
    lazy = copy.copy(market.plugin)
    setattr(lazy, "name", LocalizedText(ja="same", en="same"))  # noqa: B010  the port's attributes are read-only
    check = declared.Declared().test_every_text_speaks_both_languages_and_every_fact_has_a_source
    check(cast("Market", market))
    with pytest.raises(AssertionError):
        check(cast("Market", replace(market, plugin=lazy)))


def test_a_request_that_leaves_turns_rule_3_red(market: QuietMarket) -> None:
    before = market.open_shop().controls.sequence()
    _knock(market.base_url)
    assert len(market.open_shop().controls.requests(before)) == 1


def _knock(base_url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    connection.request("GET", "/")
    with pytest.raises(http.client.BadStatusLine):
        connection.getresponse()
    connection.close()
