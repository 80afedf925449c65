"""Speaks to the controls that every simulator shares: journal, digest, limits, faults, clock."""

import http.client
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 20.0


@dataclass(frozen=True)
class Request:
    """Be one request that reached the marketplace; `monotonic_seconds` are the simulator's."""

    function: str | None
    has_effect: bool
    was_applied: bool
    status: int | None
    path: str
    body: str
    answer: str
    monotonic_seconds: float


@dataclass(frozen=True)
class Meter:
    """Be what one shop's calls of a group looked like from the marketplace, on its own clock."""

    group: str
    accepted: int
    refused: int
    smallest_gap_seconds: float | None
    most_in_one_second: int


@dataclass(frozen=True)
class Controls:
    """Reach `/_sim` of a simulator for one of its shops."""

    base_url: str
    shop_id: str

    def call(self, method: str, path: str, value: object = None) -> Any:
        """Use a control and give its JSON, None where it answers nothing; an AssertionError where it refuses."""
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=SECONDS)
        try:
            body = None if value is None else json.dumps(value)
            connection.request(method, f"/_sim{path}", body=body, headers={"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise AssertionError(f"{method} {path}: {text.decode()}")
        return json.loads(text) if text else None

    def sequence(self) -> int:
        """Tell where the journal stands; pass it to `requests`."""
        return int(self.call("GET", "/health")["sequence"])

    def requests(self, after: int = 0) -> list[Request]:
        """Give the requests of this shop since a place in the journal, and those whose shop nobody knows."""
        found = self.call("GET", f"/journal?after={after}&limit=10000&kind=request")["entries"]
        return [
            Request(
                function=entry["function"],
                has_effect=entry["has_effect"],
                was_applied=entry["was_applied"],
                status=entry["status"],
                path=entry["path"],
                body=entry.get("request_body", ""),
                answer=entry.get("response_body", ""),
                monotonic_seconds=entry["monotonic_seconds"],
            )
            for entry in found
            if entry["shop"] in (self.shop_id, None)
        ]

    def writes(self, after: int = 0) -> int:
        """Count the requests that had an effect."""
        return sum(request.has_effect for request in self.requests(after))

    def digest(self) -> str:
        """Give the digest of the whole state."""
        return str(self.call("GET", "/digest")["digest"])

    def reset(self) -> None:
        """Forget all shops, orders, faults and timers, those of other tests too."""
        self.call("POST", "/reset")

    def limit(self, requests_per_second: float, *, burst: int = 1) -> None:
        """Put a limit in force for every group of the shop, one request at once unless `burst` says more."""
        self.call(
            "PUT",
            "/limits",
            {"requests_per_second": requests_per_second, "burst": burst, "shop": self.shop_id},
        )

    def meters(self) -> dict[str, Meter]:
        """Give what the shop's calls looked like, by group."""
        return {
            entry["group"]: Meter(
                group=entry["group"],
                accepted=entry["accepted"],
                refused=entry["refused"],
                smallest_gap_seconds=entry["smallest_gap_seconds"],
                most_in_one_second=entry["most_in_one_second"],
            )
            for entry in self.call("GET", "/limits")["groups"]
            if entry["shop"] == self.shop_id
        }

    def calls(self) -> "Counter[str]":
        """Count the shop's calls by group, as the marketplace tells them apart."""
        return Counter({name: meter.accepted + meter.refused for name, meter in self.meters().items()})

    def fault(self, kind: str, fields: Mapping[str, object], function: str | None = None) -> None:
        """Turn a fault on for this shop, for one function or for all; `fields` as `/_sim/faults` names them."""
        match = {"shop": self.shop_id} | ({} if function is None else {"path": function})
        self.call("POST", "/faults", {"kind": kind, "match": match, **fields})

    def heal(self) -> None:
        """Turn all faults off."""
        self.call("DELETE", "/faults")
