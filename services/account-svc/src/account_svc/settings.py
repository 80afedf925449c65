"""Says what account-svc is told by its environment."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from account_svc.vault import Installation
from hanro.settings import PREFIX, CommonSettings, SettingsRefused

LONGEST_TEXT = 200
_TEXTS = TypeAdapter(dict[str, dict[str, str]])


class AccountSettings(CommonSettings):
    """Hold what account-svc is told beyond what every service is."""

    installation_secrets_file: Path | None = None
    """JSON: marketplace id -> credential field -> value, for fields that the operator supplies once for all sellers."""

    installation_texts_file: Path | None = None
    """JSON: marketplace id -> name -> text, for what guides and letters say of the operator: names, mail, number."""

    def texts(self) -> dict[str, dict[str, str]]:
        """Read what the installation says of itself; empty where no file is named.

        Raises:
            SettingsRefused: the file cannot be read, is of another shape, or holds a text of more than a line.
        """
        if self.installation_texts_file is None:
            return {}
        name = f"{PREFIX}INSTALLATION_TEXTS_FILE"
        try:
            found = _TEXTS.validate_python(json.loads(self.installation_texts_file.read_bytes()))
        except (OSError, ValueError, ValidationError):
            raise SettingsRefused(
                f"{name}: {self.installation_texts_file} holds no JSON of marketplace -> name -> text"
            ) from None
        for marketplace_id, texts in found.items():
            for key, text in texts.items():
                if not text.strip() or not text.isprintable() or len(text) > LONGEST_TEXT:
                    raise SettingsRefused(
                        f"{name}: {marketplace_id}.{key} is no line of 1 to {LONGEST_TEXT} characters"
                    )
        return found

    def installation(self) -> Installation:
        """Open the installation's own credential values.

        Raises:
            SettingsRefused: the file cannot be read or is of another shape; no value is repeated.
        """
        try:
            return Installation(self.installation_secrets_file)
        except ValueError as error:
            raise SettingsRefused(f"{PREFIX}INSTALLATION_SECRETS_FILE: {error}") from None
