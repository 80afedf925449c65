"""Texts that go outwards meet a marketplace's rules, or the field and what is wrong there is named."""

from dataclasses import replace

import pytest

from hanro.errors import Rejected
from hanro.marketplace import fit
from hanro.marketplace.types import LengthUnit, TextRule


def test_a_text_over_its_limit_is_refused_by_its_own_unit() -> None:
    rule = TextRule(max_length=6, unit=LengthUnit.WIDTH_BYTES, charset="cp932", folds=(("①", "(1)"),))
    assert fit("あaｱ①"[:3], rule, "subject") == "あaｱ"
    assert fit("①あ", replace(rule, max_length=5), "subject") == "(1)あ"
    with pytest.raises(Rejected) as refused:
        fit("ああああ", rule, "subject")
    assert refused.value.code == "text-too-long"
    assert fit("ああ", replace(rule, unit=LengthUnit.UTF8_BYTES), "subject") == "ああ"


def test_a_character_that_may_not_be_sent_is_named_by_its_place() -> None:
    rule = TextRule(max_length=None, unit=LengthUnit.CHARACTERS, charset="cp932", refused="[<>]")
    with pytest.raises(Rejected) as refused:
        fit("高𠮷", rule, "body")
    assert (refused.value.code, "Character 2" in refused.value.why) == ("text-unencodable", True)
    with pytest.raises(Rejected) as refused:
        fit("a<b", rule, "body")
    assert "Character 2" in refused.value.why
