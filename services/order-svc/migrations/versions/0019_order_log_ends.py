"""Remembers how far the topics went that the service publishes to."""

from hanro.tables import make_3

revision = "0019"
down_revision = "0018"

SCHEMA = "orders"


def upgrade() -> None:
    make_3(SCHEMA)
