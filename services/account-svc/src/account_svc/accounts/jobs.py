"""Names the jobs that are due for accounts."""

from datetime import timedelta

PREFLIGHT = "preflight"
"""Probe all grants as fast as the marketplace allows: nobody else calls for the account."""
RECHECK = "recheck"
"""Probe an account that works, slowly: with account-svc's share of the rate."""
EXPIRIES = "key-expiries"
"""Look up when the secrets end, once a day."""
ROTATION = "rotation"
"""Try an account's second credentials, let them take over where they pass, and delete them when their time is up."""
WARNINGS = "key-warnings"
"""Tell that a secret ends soon, when the next threshold is reached."""
MARKET = "market-information"
"""Read what the seller set up there, once a day, slowly: with account-svc's share of the rate."""
UNLINK = "unlink"
"""Let an account go once all services have."""

LEASES = {
    PREFLIGHT: timedelta(seconds=90),
    ROTATION: timedelta(minutes=4),
    WARNINGS: timedelta(minutes=1),
    # Twenty probes of a shared group take 17 minutes with our share of it, and calls begin in two thirds of a lease.
    RECHECK: timedelta(minutes=30),
    EXPIRIES: timedelta(minutes=5),
    MARKET: timedelta(minutes=15),
    UNLINK: timedelta(seconds=30),
}

SLOW = frozenset({PREFLIGHT, RECHECK, MARKET})
"""These only read, last for half a minute and longer, and are gone on with where they were broken off."""

AT_REST = timedelta(days=30)
"""How far a job is put off that is planned when it is needed; its row stays, to be brought forward."""

FIRST_PUT_OFF = timedelta(seconds=5)
LONGEST_PUT_OFF = timedelta(minutes=10)
