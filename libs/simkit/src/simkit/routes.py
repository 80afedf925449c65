"""Serves `/_sim`: the controls that every simulator shares, with an OpenAPI document of their own."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from simkit.clock import EARLIEST_YEAR, LATEST_YEAR, Clock
from simkit.control_bodies import RepeatableBodies
from simkit.faults import Dial, Fault, FaultBook
from simkit.journal import Journal


class ClockSetting(BaseModel):
    """Say where virtual time goes; exactly one field."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime | None = Field(default=None, description="RFC 3339 with a zone.")
    offset_seconds: float | None = Field(default=None, description="From real time.")
    advance_seconds: float | None = Field(default=None, description="From where it is; negative goes back.")

    @model_validator(mode="after")
    def _check_one(self) -> "ClockSetting":
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of now, offset_seconds, advance_seconds")
        return self


@dataclass(frozen=True)
class Controls:
    """Hold what the shared routes act on.

    `state` gives the whole state as JSON values; equal states must give equal values. `reset` returns the simulator to
    its start, without touching clock, faults and journal: the route does that.
    """

    title: str
    clock: Clock
    journal: Journal
    faults: FaultBook
    state: Callable[[], object]
    reset: Callable[[], None]


def digest(state: object) -> str:
    """Give the SHA-256 over the canonical JSON (sorted keys, no spaces, UTF-8) of a state, hexadecimal."""
    canonical = json.dumps(state, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _clock_json(clock: Clock) -> dict[str, object]:
    return {
        "now": clock.now().astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "offset_seconds": clock.offset.total_seconds(),
        "monotonic_seconds": clock.monotonic(),
    }


def _dial_json(dial: Dial) -> dict[str, object]:
    return {"id": dial.id, "seen": dial.seen, "hits": dial.hits, **dial.fault.model_dump(mode="json")}


def clock_routes(clock: Clock) -> APIRouter:
    """Make the routes that show and move the clock."""
    router = APIRouter(tags=["clock"])

    @router.get("/_sim/clock")
    async def show_clock() -> dict[str, object]:
        """Tell virtual time."""
        return _clock_json(clock)

    @router.put("/_sim/clock")
    async def set_clock(setting: ClockSetting) -> dict[str, object]:
        """Move virtual time; every timer that becomes due has run when this answers."""
        try:
            if setting.now is not None:
                clock.set_now(setting.now)
            elif setting.offset_seconds is not None:
                clock.set_offset(timedelta(seconds=setting.offset_seconds))
            elif setting.advance_seconds is not None:
                clock.advance(timedelta(seconds=setting.advance_seconds))
        except OverflowError:
            raise HTTPException(422, f"the time is out of range: years {EARLIEST_YEAR} to {LATEST_YEAR}") from None
        return _clock_json(clock)

    return router


def fault_routes(faults: FaultBook) -> APIRouter:
    """Make the routes that turn fault dials on and off."""
    router = APIRouter(tags=["faults"])

    @router.post("/_sim/faults", status_code=201)
    async def add_fault(fault: Fault) -> dict[str, int]:
        """Turn a dial on; the earliest dial that applies wins."""
        return {"id": faults.add(fault).id}

    @router.get("/_sim/faults")
    async def list_faults() -> dict[str, list[dict[str, object]]]:
        """List the dials with how many requests each met (`seen`) and spoilt (`hits`)."""
        return {"faults": [_dial_json(dial) for dial in faults.list()]}

    @router.delete("/_sim/faults", status_code=204)
    async def remove_faults() -> None:
        """Turn all dials off."""
        faults.clear()

    @router.delete("/_sim/faults/{fault_id}", status_code=204)
    async def remove_fault(fault_id: int) -> None:
        """Turn one dial off."""
        if not faults.remove(fault_id):
            raise HTTPException(404, f"there is no fault {fault_id}")

    return router


def shared_routes(controls: Controls) -> APIRouter:
    """Make health, journal, digest and reset, and join clock and faults to them."""
    router = APIRouter(tags=["simulator"])

    @router.get("/_sim/health")
    async def show_health() -> dict[str, object]:
        """Answer 200 as soon as the simulator serves."""
        return {"status": "ok", "simulator": controls.title, "sequence": controls.journal.sequence}

    @router.get("/_sim/journal")
    async def read_journal(
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        kind: str | None = None,
        path: Annotated[str | None, Query(description="A path's beginning.")] = None,
    ) -> JSONResponse:
        """Read what happened after an entry; pass `next` as `after` for what follows."""
        page = controls.journal.read(after, limit, kind, path)
        # Entries are JSON values already: FastAPI's walk over them costs ten times as much.
        return JSONResponse(
            {"entries": [entry.to_json() for entry in page.entries], "next": page.next, "oldest": page.oldest}
        )

    @router.get("/_sim/digest")
    async def show_digest() -> dict[str, object]:
        """Give the SHA-256 of the simulator's state."""
        return {"digest": digest(controls.state()), "at": datetime.now(UTC).isoformat()}

    @router.post("/_sim/reset", status_code=204)
    async def reset() -> None:
        """Return to the start: state, dials, clock; the journal forgets its entries and counts on."""
        controls.faults.clear()
        controls.clock.reset()
        controls.reset()
        controls.journal.clear()
        controls.journal.add("reset", {})

    router.include_router(clock_routes(controls.clock))
    router.include_router(fault_routes(controls.faults))
    return router


async def _refuse_unreadable(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = []
    for found in error.errors():
        # The first part says where the value stood (body, query); a bad JSON text has a byte offset behind it.
        is_unreadable = found["type"] == "json_invalid"
        field = "" if is_unreadable else ".".join(str(part) for part in found["loc"][1:])
        message = "the body is no JSON" if is_unreadable else str(found["msg"]).removeprefix("Value error, ")
        named, separator, rest = message.partition(": ")
        if not field and separator and named.replace("_", "").isalnum():
            field, message = named, rest
        errors.append({"field": field, "message": message})
    detail = "; ".join(
        f"{entry['field']}: {entry['message']}" if entry["field"] else entry["message"] for entry in errors
    )
    return JSONResponse({"detail": detail, "errors": errors}, status_code=422)


def make_control_app(controls: Controls, *more: APIRouter) -> FastAPI:
    """Make the application behind `/_sim`; `more` are the simulator's own routes, with whole paths.

    A malformed control is refused with 422, `detail` in words and `errors` naming each field.
    """
    app = FastAPI(
        title=controls.title,
        openapi_url="/_sim/openapi.json",
        docs_url="/_sim/docs",
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.add_exception_handler(RequestValidationError, _refuse_unreadable)
    app.add_middleware(RepeatableBodies)
    app.include_router(shared_routes(controls))
    for router in more:
        app.include_router(router)
    return app
