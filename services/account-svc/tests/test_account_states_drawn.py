"""The page that draws an account's states says what the table says."""

import re
from pathlib import Path

from account_samples import account

from account_svc.domain.accounts import State
from account_svc.domain.transitions import OWN_DEEDS, TABLE, Deed

PAGE = Path(__file__).parents[3] / "docs/account-states.md"
ARROW = re.compile(r"^ +([a-z_]+) --> ([a-z_]+) : ([a-z-]+)$", re.MULTILINE)
ROW = re.compile(r"^\| `([a-z_]+)` \| (有効|無効) \| [^|]+ \|((?: `[a-z-]+`)*) \|$", re.MULTILINE)


def test_the_drawing_has_the_moves_of_the_table_and_no_others() -> None:
    drawn = ARROW.findall(PAGE.read_text(encoding="utf-8"))
    moves = {
        (before.value, after.value, deed.value)
        for deed, legal in TABLE.items()
        for before, targets in legal.items()
        for after in targets
        if after is not before
    }
    assert set(drawn) == moves
    assert len(drawn) == len(moves)


def test_the_page_says_of_each_state_its_word_and_what_can_be_asked() -> None:
    told = {
        name: (word, set(re.findall(r"`([a-z-]+)`", deeds)))
        for name, word, deeds in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }
    assert told == {
        state.value: (
            "有効" if account(state).is_working else "無効",
            {deed.value for deed in TABLE if state in TABLE[deed] and deed not in OWN_DEEDS},
        )
        for state in State
    }


def test_every_deed_is_in_the_table() -> None:
    assert set(TABLE) == set(Deed)
