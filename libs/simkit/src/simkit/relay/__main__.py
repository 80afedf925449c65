"""Starts the mail relay alone: `python -m simkit.relay --smtp-port N --http-port M`."""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError

from simkit.clock import Clock
from simkit.faults import FaultBook
from simkit.journal import Journal
from simkit.relay.desk import SIZE_LIMIT_BYTES, Rules
from simkit.relay.routes import LoginSetting, relay_routes
from simkit.relay.server import Relay, RelaySettings, make_desk
from simkit.routes import Controls, make_control_app
from simkit.server import bind, read_port, run, serve


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simkit.relay", description="Play a marketplace's mail relay.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=read_port, required=True, help="0 takes a free one")
    parser.add_argument("--http-port", type=read_port, required=True, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="for dials with a probability")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="append every entry as a JSON line")
    parser.add_argument("--certificate-file", type=Path, metavar="PATH", help="what clients trust; taken up again")
    parser.add_argument("--mail-directory", type=Path, metavar="DIRECTORY", help="keep mails over a restart")
    parser.add_argument("--logins", type=Path, metavar="FILE", help="JSON list: shop, username, password, …")
    parser.add_argument("--host-name", default="localhost", help="in greeting and certificate")
    parser.add_argument("--recipient-pattern", default=Rules.recipient_pattern, help="glob over the domain")
    parser.add_argument("--size-limit-bytes", type=int, default=SIZE_LIMIT_BYTES)
    return parser.parse_args(arguments)


def _home() -> APIRouter:
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def show_home() -> RedirectResponse:
        return RedirectResponse("/_sim/inbox")

    return router


async def _main(settings: RelaySettings, http_port: int, journal_file: Path | None, seed: int) -> None:
    clock = Clock()
    journal = Journal(clock, journal_file)
    faults = FaultBook(random.Random(seed))  # noqa: S311  faults, not secrets
    desk = make_desk(settings, clock, journal, faults)
    relay = Relay(desk, settings.host, settings.port)
    listening = bind(settings.host, http_port)
    await relay.start()
    controls = Controls(
        title="Mail relay",
        clock=clock,
        journal=journal,
        faults=faults,
        state=lambda: [mail.digest for mail in desk.mailbox.list(limit=10**9)],
        reset=desk.mailbox.clear,
    )
    sys.stdout.write(
        f"mail relay: smtp {settings.host}:{relay.port}, "
        f"http://{settings.host}:{listening.getsockname()[1]}/_sim/inbox\n"
    )
    sys.stdout.flush()
    try:
        await serve(make_control_app(controls, relay_routes(desk), _home()), listening, [clock.run, relay.run])
    finally:
        await relay.stop()
        journal.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; exit 1 with one line when a port is taken, 2 when an argument is wrong."""
    asked = _parse(arguments)
    settings = RelaySettings(
        host=asked.host,
        port=asked.smtp_port,
        rules=Rules(asked.recipient_pattern, asked.size_limit_bytes, asked.host_name),
        certificate_file=asked.certificate_file,
        mail_directory=asked.mail_directory,
    )
    if asked.logins is not None:
        try:
            logins = TypeAdapter(list[LoginSetting]).validate_json(asked.logins.read_bytes())
        except (ValidationError, OSError) as error:
            # The text of a validation error holds the values, and here they are passwords.
            places = error.errors(include_input=False) if isinstance(error, ValidationError) else error.strerror
            sys.stderr.write(f"cannot read --logins {asked.logins}: {places}\n")
            return 2
        settings = replace(settings, logins=tuple(login.to_login() for login in logins))
    return run(_main(settings, asked.http_port, asked.journal, asked.seed))


if __name__ == "__main__":
    sys.exit(main())
