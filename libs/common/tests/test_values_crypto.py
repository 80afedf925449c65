"""Proves that a sealed value opens in its own place alone, and that nothing of it shows when it does not."""

import hmac
import secrets
import traceback
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanro.crypto import BlindIndex, CannotOpen, KeyMissing, Keyring, SealBroken, key_id_of, open_, rewrap, seal

OLD, NEW, INDEX = (bytes([number]) * 32 for number in (1, 2, 3))
CANARY = b"canary-29f1 \xe8\xa6\x8b\xe6\x9c\xac"
RING = Keyring({"kek-1": OLD}, current_id="kek-1", index_key=INDEX)
BOTH = Keyring({"kek-1": OLD, "kek-2": NEW}, current_id="kek-2", index_key=INDEX)


class Place(TypedDict):
    """Name where a sealed value stands."""

    schema: str
    table: str
    row_id: str
    field: str
    version: int


PLACE = Place(schema="orders", table="buyers", row_id="ord_1", field="sealed", version=3)

texts = st.text(max_size=12)
places = st.builds(Place, schema=texts, table=texts, row_id=texts, field=texts, version=st.integers(0, 9))


def said_by(error: BaseException) -> str:
    """Give all that a log could show of an error."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@given(st.binary(max_size=2000), places)
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, place: Place) -> None:
    assert open_(RING, seal(RING, plaintext, **place), **place) == plaintext


@given(places, places)
def test_in_any_other_place_it_stays_closed_and_names_its_key(sealed_for: Place, asked_for: Place) -> None:
    sealed = seal(RING, CANARY, **sealed_for)
    if sealed_for == asked_for:
        assert open_(RING, sealed, **asked_for) == CANARY
        return
    with pytest.raises(SealBroken, match="kek-1") as caught:
        open_(RING, sealed, **asked_for)
    assert caught.value.key_id == "kek-1"


@pytest.mark.parametrize(
    "other",
    [
        Place(schema="account", table="buyers", row_id="ord_1", field="sealed", version=3),
        Place(schema="orders", table="raws", row_id="ord_1", field="sealed", version=3),
        Place(schema="orders", table="buyers", row_id="ord_2", field="sealed", version=3),
        Place(schema="orders", table="buyers", row_id="ord_1", field="raw", version=3),
        Place(schema="orders", table="buyers", row_id="ord_1", field="sealed", version=4),
        Place(schema="ordersbuyers", table="", row_id="ord_1", field="sealed", version=3),
    ],
)
def test_each_part_of_the_place_counts(other: Place) -> None:
    sealed = seal(RING, CANARY, **PLACE)
    with pytest.raises(SealBroken, match="kek-1"):
        open_(RING, sealed, **other)
    with pytest.raises(SealBroken, match="kek-1"):
        rewrap(BOTH, sealed, **other)


@given(st.data())
def test_a_changed_or_cut_envelope_stays_closed_and_shows_nothing(data: st.DataObject) -> None:
    sealed = seal(RING, CANARY, **PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    for broken in (flipped, sealed[:at], sealed + b"\0"):
        with pytest.raises(CannotOpen) as caught:
            open_(RING, broken, **PLACE)
        assert "canary" not in said_by(caught.value)


@given(st.binary(max_size=200))
def test_any_other_bytes_stay_closed(noise: bytes) -> None:
    with pytest.raises(CannotOpen):
        open_(RING, noise, **PLACE)


def test_a_missing_key_is_named() -> None:
    sealed = seal(BOTH, CANARY, **PLACE)
    for attempt in (open_, rewrap):
        with pytest.raises(KeyMissing, match="'kek-2'") as caught:
            attempt(RING, sealed, **PLACE)
        assert caught.value.key_id == "kek-2"
        assert "canary" not in said_by(caught.value)


def test_another_key_of_the_same_id_stays_closed() -> None:
    impostor = Keyring({"kek-1": NEW}, current_id="kek-1", index_key=INDEX)
    with pytest.raises(SealBroken, match="kek-1"):
        open_(impostor, seal(RING, CANARY, **PLACE), **PLACE)


def test_sealing_twice_gives_different_bytes_without_the_plaintext() -> None:
    one, other = seal(RING, CANARY, **PLACE), seal(RING, CANARY, **PLACE)
    assert one != other
    assert b"canary" not in one + other


def test_a_rewrapped_value_needs_the_new_key_alone() -> None:
    sealed = seal(RING, CANARY, **PLACE)
    moved = rewrap(BOTH, sealed, **PLACE)
    alone = Keyring({"kek-2": NEW}, current_id="kek-2", index_key=INDEX)
    assert (key_id_of(sealed), key_id_of(moved)) == ("kek-1", "kek-2")
    assert open_(alone, moved, **PLACE) == open_(BOTH, sealed, **PLACE) == CANARY
    assert sealed[-len(CANARY) - 16 :] == moved[-len(CANARY) - 16 :]


def test_rewrapping_a_second_time_changes_nothing() -> None:
    moved = rewrap(BOTH, seal(RING, CANARY, **PLACE), **PLACE)
    assert rewrap(BOTH, moved, **PLACE) == moved


def test_a_wrapped_key_does_not_carry_over_to_another_envelope() -> None:
    one, other = seal(RING, b"one" * 9, **PLACE), seal(RING, b"two" * 9, **PLACE)
    head = 2 + 1 + len("kek-1") + 12 + 48
    with pytest.raises(SealBroken):
        open_(RING, one[:head] + other[head:], **PLACE)


def test_a_folder_of_one_key_needs_no_name_for_it(tmp_path: Path) -> None:
    (tmp_path / "kek-1.key").write_text(OLD.hex() + "\n")
    (tmp_path / "index.key").write_text(INDEX.hex())
    ring = Keyring.load(tmp_path)
    assert open_(ring, seal(RING, CANARY, **PLACE), **PLACE) == CANARY
    assert ring.derived("cursors") == RING.derived("cursors")
    assert repr(ring) == "Keyring(kek-1; current kek-1)"


def test_of_several_keys_the_named_one_seals(tmp_path: Path) -> None:
    (tmp_path / "kek-1.key").write_text(OLD.hex())
    (tmp_path / "kek-2.key").write_text(NEW.hex())
    (tmp_path / "index.key").write_text(INDEX.hex())
    with pytest.raises(ValueError, match="current must name one of the keys kek-1, kek-2"):
        Keyring.load(tmp_path)
    (tmp_path / "current").write_text("kek-2\n")
    assert key_id_of(seal(Keyring.load(tmp_path), CANARY, **PLACE)) == "kek-2"
    (tmp_path / "current").write_text("kek-3")
    with pytest.raises(ValueError, match="'kek-3' is to seal but is not there"):
        Keyring.load(tmp_path)


def test_a_key_that_is_mounted_later_opens_and_does_not_seal(tmp_path: Path) -> None:
    (tmp_path / "kek-1.key").write_text(OLD.hex())
    (tmp_path / "index.key").write_text(INDEX.hex())
    ring = Keyring.load(tmp_path)
    sealed = seal(Keyring({"kek-2": NEW}, current_id="kek-2", index_key=INDEX), CANARY, **PLACE)
    for content in (None, "half of"):
        if content is not None:
            (tmp_path / "kek-2.key").write_text(content)
        with pytest.raises(KeyMissing, match="'kek-2'"):
            open_(ring, sealed, **PLACE)
    (tmp_path / "kek-2.key").write_text(NEW.hex())
    assert open_(ring, sealed, **PLACE) == CANARY
    assert key_id_of(seal(ring, CANARY, **PLACE)) == "kek-1"


@pytest.mark.parametrize("key_id", ["index", "../kek-1", "KEK-1", ""])
def test_nothing_but_a_key_is_read_from_the_folder(tmp_path: Path, key_id: str) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    for place in (tmp_path, folder):
        (place / "kek-1.key").write_text(OLD.hex())
    (folder / "index.key").write_text(INDEX.hex())
    ring = Keyring.load(folder)
    (folder / ".key").write_text(OLD.hex())
    (folder / "KEK-1.key").write_text(OLD.hex())
    with pytest.raises(KeyMissing):
        ring.key(key_id)


@pytest.mark.parametrize("content", ["", "canary", OLD.hex()[:-2], OLD.hex() + "00", "zz" * 32, "鍵" * 32])
def test_a_malformed_key_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "kek-1.key").write_text(content, encoding="utf-8")
    (tmp_path / "index.key").write_text(INDEX.hex())
    with pytest.raises(ValueError, match="kek-1") as caught:
        Keyring.load(tmp_path)
    assert not content or content not in said_by(caught.value)


def test_a_folder_without_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"needs index\.key"):
        Keyring.load(tmp_path)
    (tmp_path / "index.key").write_text(INDEX.hex())
    with pytest.raises(ValueError, match="and a key-encryption key"):
        Keyring.load(tmp_path)


@given(st.text("ab", max_size=3), st.text("ab", max_size=3))
def test_a_blind_index_finds_equal_texts_alone_and_under_its_own_key(one: str, other: str) -> None:
    index, foreign = BlindIndex(RING.derived("orders.buyer-email")), BlindIndex(RING.derived("orders.buyer-name"))
    assert (index.digest(one) == index.digest(other)) == (one == other)
    assert index.digest(one) != foreign.digest(one)


def test_a_blind_index_is_an_hmac_of_the_folded_text() -> None:
    key = secrets.token_bytes(32)
    assert BlindIndex(key).digest("ﾐﾎﾝ  Hanako") == hmac.digest(key, "ミホン hanako".encode(), "sha256")


@pytest.mark.parametrize(
    ("one", "other"),
    [("見本　花子", "見本 花子"), ("ﾐﾎﾝ ﾊﾅｺ", "ミホン ハナコ"), ("Hanako@Example.invalid ", "hanako@example.invalid")],
)
def test_width_case_and_spaces_do_not_count_in_a_blind_index(one: str, other: str) -> None:
    index = BlindIndex(secrets.token_bytes(32))
    assert index.digest(one) == index.digest(other)
    assert index.digest(one) != index.digest(other + "x")
