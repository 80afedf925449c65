"""Says what notifier-svc is told by its environment, beyond what every service is."""

from pydantic import Field

from hanro.settings import CommonSettings


class NotifierSettings(CommonSettings):
    """Hold what notifier-svc is told."""

    mail_deadline_seconds: float = Field(default=30.0, gt=0, le=600)
    """How long a relay may take to answer a mail; a claim lasts three times as long, and so does finding out that a
    sender died."""
    mail_step_seconds: float = Field(default=10.0, gt=0, le=120)
    """How long a relay may take for each step before the mail: connect, STARTTLS, AUTH, MAIL, RCPT, DATA."""
    mail_lanes: int = Field(default=8, ge=1, le=100)
    """Accounts that this process sends for at a time; each has one connection."""
