"""Starts a simulator from the command line that all simulators share."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.types import ASGIApp

from simkit.kit import Kit, make_kit
from simkit.limits import Limit
from simkit.relay.desk import Rules
from simkit.relay.server import Relay, RelaySettings, make_desk
from simkit.server import Companion, bind, read_port, run, serve


@dataclass(frozen=True)
class Arguments:
    """State how a simulator was asked to run; `smtp_port` None starts no relay, a port of 0 takes a free one."""

    host: str
    port: int
    seed: int
    assumptions: Path | None
    journal: Path | None
    smtp_port: int | None
    certificate_file: Path | None
    mail_directory: Path | None


def parse_arguments(program: str, arguments: Sequence[str] | None = None) -> Arguments:
    """Read the command line (None: the process's own); exits with 2 and a usage line when it is wrong."""
    parser = argparse.ArgumentParser(prog=program, description="Play a marketplace for tests and trials.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=read_port, required=True, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assumptions", type=Path, metavar="FILE", help="JSON or TOML over the defaults")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="append every entry as a JSON line")
    parser.add_argument("--smtp-port", type=read_port, help="also play the mail relay")
    parser.add_argument("--certificate-file", type=Path, metavar="PATH", help="what the relay's clients trust")
    parser.add_argument("--mail-directory", type=Path, metavar="DIRECTORY", help="keep mails over a restart")
    return Arguments(**vars(parser.parse_args(arguments)))


async def _serve(title: str, arguments: Arguments, limit: Limit, rules: Rules, build: Callable[[Kit], ASGIApp]) -> None:
    kit = make_kit(limit, seed=arguments.seed, journal_file=arguments.journal)
    listening = bind(arguments.host, arguments.port)
    beside: list[Companion] = [kit.clock.run, kit.courier.run]
    line = f"{title}: http://{arguments.host}:{listening.getsockname()[1]}"
    relay: Relay | None = None
    if arguments.smtp_port is not None:
        settings = RelaySettings(
            host=arguments.host,
            port=arguments.smtp_port,
            rules=rules,
            certificate_file=arguments.certificate_file,
            mail_directory=arguments.mail_directory,
        )
        desk = make_desk(settings, kit.clock, kit.journal, kit.faults)
        kit = replace(kit, relay=desk)
        relay = Relay(desk, settings.host, settings.port)
        await relay.start()
        beside.append(relay.run)
        line += f", smtp {arguments.host}:{relay.port}"
    app = build(kit)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    try:
        await serve(app, listening, beside)
    finally:
        if relay is not None:
            await relay.stop()
        kit.journal.close()


def start(
    title: str,
    arguments: Arguments,
    build: Callable[[Kit], ASGIApp],
    *,
    limit: Limit,
    rules: Rules | None = None,
) -> int:
    """Run the application that `build` makes (see `simkit.app.make_app`) until SIGTERM, and give the exit code.

    Writes one line with its addresses once it listens; a taken port is one line on standard error and exit code 1.
    """
    return run(_serve(title, arguments, limit, rules or Rules(), build))
