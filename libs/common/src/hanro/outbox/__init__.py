"""Records facts in the transaction that makes them true, and publishes them at least once."""

from hanro.archive import ArchivedEvent, events_after
from hanro.outbox.recording import DDL_1, backlog, record
from hanro.outbox.relay import Relay, RelayObserver, wait_for_lane

__all__ = ["DDL_1", "ArchivedEvent", "Relay", "RelayObserver", "backlog", "events_after", "record", "wait_for_lane"]
