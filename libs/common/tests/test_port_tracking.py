"""A carrier and a number are checked before anything is sent, however people write them."""

import pytest

from hanro.errors import LocalizedText, Rejected
from hanro.marketplace import find_carrier, track
from hanro.marketplace.types import Carrier, CarrierCatalogue, Tracking

YAMATO = Carrier(
    code="yamato",
    names=LocalizedText(ja="ヤマト運輸", en="Yamato Transport"),
    aliases=("宅急便",),
    marketplace_value="1001",
    tracking_url="https://follow.example.invalid/?no={tracking_number}&lang=ja",
    number_pattern="[0-9]{12}",
    is_url_required=False,
)
COURIER = Carrier(
    code="courier",
    names=LocalizedText(ja="近所の配達", en="Courier next door"),
    aliases=(),
    marketplace_value=None,
    tracking_url=None,
    number_pattern=None,
    is_url_required=False,
)


def catalogue(*, other: str | None = "1000", is_url_required: bool = False) -> CarrierCatalogue:
    return CarrierCatalogue(
        version="1", carriers=(YAMATO, COURIER), other_value=other, is_other_url_required=is_url_required
    )


@pytest.mark.parametrize(
    "written", ["123456789012", "1234-5678-9012", "１２３４ー５６７８ー９０１２", " 1234 5678\t9012 "]
)
def test_a_number_is_the_same_however_it_is_written(written: str) -> None:
    assert track(catalogue(), "yamato", written, None) == Tracking(
        carrier_code="yamato",
        marketplace_value="1001",
        number="123456789012",
        url="https://follow.example.invalid/?no=123456789012&lang=ja",
    )


@pytest.mark.parametrize("written", ["", "ABC", "12345678901", "1234567890123", "12345678901٢x"])
def test_a_number_of_another_form_is_malformed_and_not_told_again(written: str) -> None:
    with pytest.raises(Rejected) as refused:
        track(catalogue(), "yamato", written, None)
    assert (refused.value.code, refused.value.field) == ("number-malformed", "number")
    assert not written or written not in refused.value.why


def test_a_carrier_is_found_by_code_name_alias_and_their_value() -> None:
    for name in ("yamato", "1001", "YAMATO", "ヤマト運輸", "ﾔﾏﾄ運輸", "yamato transport", "Yamato-Transport", "宅急便"):
        assert find_carrier(catalogue(), name) is YAMATO, name
    for name in ("佐川急便", "", "100"):
        assert find_carrier(catalogue(), name) is None


def test_a_carrier_that_their_list_lacks_goes_by_their_word_for_others_if_there_is_one() -> None:
    tracking = track(catalogue(), "courier", "A/1?", None)
    assert (tracking.marketplace_value, tracking.number, tracking.url) == ("1000", "A/1?", None)
    for carrier, known in (("courier", catalogue(other=None)), ("nobody", catalogue())):
        with pytest.raises(Rejected) as refused:
            track(known, carrier, "1", None)
        assert (refused.value.code, refused.value.field) == ("carrier-unsupported", "carrier")


def test_a_page_is_the_sellers_where_one_is_given_and_must_be_one() -> None:
    own = "https://parcels.example.invalid/1"
    assert track(catalogue(is_url_required=True), "courier", "1", own).url == own
    for url in (None, "parcels.example.invalid", "javascript:alert(1)", "https://a b", "https:///1", "https://["):
        with pytest.raises(Rejected) as refused:
            track(catalogue(is_url_required=True), "courier", "1", url)
        assert (refused.value.code, refused.value.field) == ("url-malformed", "url")


def test_a_parcel_without_a_number_has_no_page() -> None:
    assert track(catalogue(), "yamato", None, None).url is None
