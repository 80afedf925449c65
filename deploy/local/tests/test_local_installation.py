"""What the local installation says of itself: made once, kept afterwards, read by nobody else."""

import json
import stat
from pathlib import Path

from hanro_local import installation


def test_both_files_are_made_for_their_owner_and_kept_as_they_were_changed(tmp_path: Path) -> None:
    folder = tmp_path / "installation"
    named = installation.files(folder)
    texts, secrets = (Path(named[f"HANRO_INSTALLATION_{name}_FILE"]) for name in ("TEXTS", "SECRETS"))
    assert json.loads(texts.read_text(encoding="utf-8")) == installation.TEXTS
    assert json.loads(secrets.read_text(encoding="utf-8")) == {"rakuten_ichiba": {}}
    assert [stat.S_IMODE(file.stat().st_mode) for file in (texts, secrets)] == [0o600, 0o600]
    secrets.write_text('{"rakuten_ichiba": {"service_secret": "SP999001_made-up"}}')
    assert installation.files(folder) == named
    assert "made-up" in secrets.read_text()


def test_all_that_it_says_is_made_up() -> None:
    mails = [text for own in installation.TEXTS.values() for text in own.values() if "@" in text]
    assert mails
    assert all(mail.endswith("@example.invalid") for mail in (*mails, installation.SUPPORT_CONTACT))
