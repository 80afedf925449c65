"""Says what account-svc is told by its environment."""

from pathlib import Path

from account_svc.vault import Installation
from hanro.settings import PREFIX, CommonSettings, SettingsRefused


class AccountSettings(CommonSettings):
    """Hold what account-svc is told beyond what every service is."""

    installation_secrets_file: Path | None = None
    """JSON: marketplace id -> credential field -> value, for fields that the operator supplies once for all sellers."""

    def installation(self) -> Installation:
        """Open the installation's own credential values.

        Raises:
            SettingsRefused: the file cannot be read or is of another shape; no value is repeated.
        """
        try:
            return Installation(self.installation_secrets_file)
        except ValueError as error:
            raise SettingsRefused(f"{PREFIX}INSTALLATION_SECRETS_FILE: {error}") from None
