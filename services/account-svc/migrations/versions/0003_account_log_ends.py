"""Remembers how far the topics went that the service publishes to."""

from hanro.tables import make_3

revision = "0003"
down_revision = "0002"

SCHEMA = "account"


def upgrade() -> None:
    make_3(SCHEMA)
