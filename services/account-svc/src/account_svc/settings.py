"""Says what account-svc is told by its environment."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from hanro.settings import PREFIX, CommonSettings, SettingsRefused

_INSTALLATION = TypeAdapter(dict[str, dict[str, str]])


class AccountSettings(CommonSettings):
    """Hold what account-svc is told beyond what every service is."""

    installation_secrets_file: Path | None = None
    """JSON: marketplace id -> credential field -> value, for fields that the operator supplies once for all sellers."""

    def installation(self) -> dict[str, dict[str, str]]:
        """Read the installation's own credential values; empty where no file is named.

        Raises:
            SettingsRefused: the file cannot be read or is of another shape; no value is repeated.
        """
        if self.installation_secrets_file is None:
            return {}
        try:
            return _INSTALLATION.validate_python(json.loads(self.installation_secrets_file.read_bytes()))
        except (OSError, ValueError, ValidationError):
            name = f"{PREFIX}INSTALLATION_SECRETS_FILE"
            raise SettingsRefused(
                f"{name}: {self.installation_secrets_file} holds no JSON of marketplace -> field -> value"
            ) from None
