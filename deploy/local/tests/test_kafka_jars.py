"""A jar that is not the one that was tested is refused."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from hanro_local import jars
from hanro_local.jars import Jar, JarsRefused

CONTENT = b"PK\x03\x04 a jar"


def jar(path: str) -> Jar:
    return Jar(path=path, size=len(CONTENT), sha512=hashlib.sha512(CONTENT).hexdigest())


def test_jars_that_match_are_the_class_path_in_order(tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar"):
        (tmp_path / name).write_bytes(CONTENT)
    assert jars.check(tmp_path, [jar("b.jar"), jar("a.jar")]) == [tmp_path / "b.jar", tmp_path / "a.jar"]


def test_a_changed_jar_is_refused_in_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_bytes(CONTENT + b"!")
    with pytest.raises(JarsRefused) as refusal:
        jars.check(tmp_path, [jar("a.jar")])
    assert str(refusal.value).startswith(f"{tmp_path / 'a.jar'} is not the jar that hanro was tested with")
    assert "delete it and start again" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_torn_download_is_fetched_again_and_a_whole_jar_is_kept(tmp_path: Path) -> None:
    (tmp_path / "torn.jar").write_bytes(CONTENT[:5])
    (tmp_path / "whole.jar").write_bytes(CONTENT)
    expected = [jar("torn.jar"), jar("whole.jar")]
    assert not jars.are_there(tmp_path, expected)
    jars.drop_torn(tmp_path, expected)
    assert [one.name for one in tmp_path.iterdir()] == ["whole.jar"]


def test_a_missing_jar_is_refused(tmp_path: Path) -> None:
    assert not jars.are_there(tmp_path, [jar("a.jar")])
    with pytest.raises(JarsRefused, match="is missing"):
        jars.check(tmp_path, [jar("a.jar")])


def test_the_committed_sums_name_all_45_jars_once() -> None:
    expected = jars.expected()
    assert len({one.path for one in expected}) == len(expected) == 45
    assert all(len(one.sha512) == 128 for one in expected)
    assert expected[0].path.endswith("kafka_2.13-4.4.0.jar")
    assert 44 < sum(one.size for one in expected) / 1e6 < 45


@pytest.mark.parametrize(("parent_lives", "code"), [(True, 0), (False, 1)])
def test_the_fetching_process_ends_well_beside_its_parent_and_at_once_without(*, parent_lives: bool, code: int) -> None:
    work = "" if parent_lives else "; import time; time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", f"from hanro_local.jars import end_with_parent; end_with_parent(){work}"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        if not parent_lives:
            process.stdin.close()
        assert process.wait(timeout=20) == code
