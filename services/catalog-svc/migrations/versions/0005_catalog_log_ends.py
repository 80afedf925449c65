"""Remembers how far the topics went that the service publishes to."""

from hanro.tables import make_3

revision = "0005"
down_revision = "0004"

SCHEMA = "catalog"


def upgrade() -> None:
    make_3(SCHEMA)
