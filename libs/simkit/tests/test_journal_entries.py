"""The journal: order, pages, caps, the file, and what it must not keep."""

import json
import re
from pathlib import Path

from simkit.clock import Clock
from simkit.journal import Journal, body_fields
from simkit.redaction import Redaction


def test_pages_join_without_gap_or_overlap() -> None:
    journal = Journal(Clock())
    for number in range(25):
        journal.add("request", {"path": f"/{number}"})
    seen: list[int] = []
    after = 0
    while (page := journal.read(after, 10)).entries:
        seen.extend(entry.sequence for entry in page.entries)
        after = page.next
    assert seen == list(range(1, 26))


def test_a_filter_that_lets_nothing_through_still_moves_on() -> None:
    journal = Journal(Clock())
    journal.add("request", {"path": "/a"})
    journal.add("mail", {})
    assert [entry.sequence for entry in journal.read(0, kind="mail").entries] == [2]
    assert [entry.sequence for entry in journal.read(0, path="/a").entries] == [1]
    assert (journal.read(0, kind="state").entries, journal.read(0, kind="state").next) == ([], 2)


def test_memory_is_bounded_and_says_where_it_begins() -> None:
    journal = Journal(Clock(), kept_entries=10)
    for _ in range(25):
        journal.add("request", {})
    page = journal.read(0)
    assert (page.oldest, [entry.sequence for entry in page.entries]) == (16, list(range(16, 26)))
    assert [entry.sequence for entry in journal.read(20, 2).entries] == [21, 22]


def test_memory_is_bounded_in_bytes_too() -> None:
    journal = Journal(Clock(), kept_bytes=5_000)
    for _ in range(20):
        journal.add("request", {"response_body": "x" * 1_000})
    assert 1 <= len(journal.read(0).entries) <= 5


def test_the_file_is_continued_after_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    first = Journal(Clock(), file)
    first.add("request", {"path": "/a"})
    first.add("request", {"path": "/b"})
    first.close()
    with file.open("a", encoding="utf-8") as torn:
        torn.write('{"sequence":3,"kind":"req')
    second = Journal(Clock(), file)
    second.add("request", {"path": "/c"})
    second.close()
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line]
    assert [json.loads(line)["sequence"] for line in (lines[0], lines[1], lines[3])] == [1, 2, 3]


def test_bodies_are_text_or_base64_and_cut_at_the_cap() -> None:
    assert body_fields("request", "髙".encode())["request_body"] == "髙"
    assert body_fields("request", b"\xff\x00")["request_body_base64"] == "/wA="
    cut = body_fields("response", "髙髙".encode(), cap_bytes=4)
    assert (cut["response_body"], cut["response_body_bytes"], cut["response_body_is_cut"]) == ("髙", 6, True)


def test_secrets_of_query_form_path_and_body_are_hidden_and_the_rest_keeps_its_spelling() -> None:
    redaction = Redaction(
        secret_names=frozenset({"key", "pwd"}),
        path_patterns=(re.compile(r"/license/([^/]+)"),),
        body_patterns=(re.compile(rb"<Key>(.*?)</Key>"),),
    )
    assert redaction.query("a=%7E&KEY=secret&b=") == "a=%7E&KEY=REDACTED&b="
    assert redaction.path("/es/license/secret/expiry") == "/es/license/REDACTED/expiry"
    assert redaction.body(b"pwd=secret&x=1", "application/x-www-form-urlencoded; charset=utf-8") == b"pwd=REDACTED&x=1"
    assert redaction.body(b"<Key>secret</Key>", "text/xml") == b"<Key>REDACTED</Key>"


def test_credentials_are_kept_by_no_declaration() -> None:
    redaction = Redaction(kept_headers=("Authorization", "Cookie", "X-Trace"))
    assert redaction.headers([("authorization", "ESA c2Vj"), ("cookie", "a=b"), ("x-trace", "1")]) == {"x-trace": "1"}
