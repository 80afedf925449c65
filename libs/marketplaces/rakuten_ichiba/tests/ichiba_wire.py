"""Starts the simulator as a process of its own and speaks to it in plain bytes over a socket."""

import base64
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SECONDS = 20.0
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True)
class WireAnswer:
    """Hold an answer: the header lines as spelt and ordered on the wire, the body without chunk marks."""

    status: int
    reason: str
    lines: Sequence[str]
    body: bytes

    def header(self, name: str) -> str | None:
        """Give the value behind exactly this spelling of a name, None when no line has it."""
        return next((line[len(name) + 2 :] for line in self.lines if line.startswith(f"{name}: ")), None)

    @property
    def names(self) -> list[str]:
        """Give the header names in their order."""
        return [line.partition(":")[0] for line in self.lines]

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Simulator:
    """Hold a running simulator."""

    port: int
    process_id: int

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> WireAnswer:
        """Send one request, headers spelt and ordered as given, and read the answer to its end."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        return self.send_bytes("\r\n".join(lines).encode("latin-1") + body)

    def send_bytes(self, message: bytes) -> WireAnswer:
        """Send a whole message, which must say `Connection: close`, and read the answer to its end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as connection:
            connection.sendall(message)
            received = bytearray()
            while octets := connection.recv(65536):
                received += octets
        return _read(bytes(received))

    def control(self, method: str, path: str, value: object = None) -> Any:
        """Use a control of `/_sim`; gives its JSON, None when it answers nothing."""
        body = b"" if value is None else json.dumps(value).encode()
        answer = self.send(method, f"/_sim{path}", body, {"Content-Type": "application/json"})
        assert answer.status < 300, answer.body.decode()
        return answer.json() if answer.body else None


@dataclass(frozen=True)
class Shop:
    """Hold a shop of the simulator and call the marketplace with its key pair."""

    simulator: Simulator
    id: str
    service_secret: str = field(repr=False)
    license_key: str = field(repr=False)

    @property
    def authorization(self) -> str:
        """Give the value of the Authorization header."""
        return authorization(self.service_secret, self.license_key)

    def post(self, function: str, body: bytes, **headers: str) -> WireAnswer:
        """Call a function of the order family; `headers` replace or add ("Content_Type" for "Content-Type")."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": self.authorization, "Content-Type": JSON_TYPE} | named
        return self.simulator.send("POST", f"/es/2.0/order/{function}", body, sent)

    def get(self, path: str, **headers: str) -> WireAnswer:
        """Read a path below `/es/1.0/`."""
        return self.simulator.send("GET", f"/es/1.0/{path}", b"", {"Authorization": self.authorization} | headers)

    def control(self, method: str, path: str, value: object = None) -> Any:
        """Use a control of this shop."""
        return self.simulator.control(method, f"/shops/{self.id}{path}", value)


def authorization(service_secret: str, license_key: str) -> str:
    """Give `ESA ` and the Base64 of both parts, as rakuten-ichiba-orders 1 describes it."""
    return "ESA " + base64.b64encode(f"{service_secret}:{license_key}".encode()).decode()


@contextmanager
def running_simulator(
    directory: Path,
    assumptions: Mapping[str, object] | None = None,
    *,
    options: Sequence[str] = (),
    errors: IO[bytes] | None = None,
) -> Iterator[Simulator]:
    """Run `python <options> -m hanro_rakuten_ichiba.simulator` on a free port for the length of the block."""
    command = [sys.executable, *options, "-m", "hanro_rakuten_ichiba.simulator", "--port", "0", "--seed", "1"]
    if assumptions is not None:
        settings = directory / "assumptions.json"
        settings.write_text(json.dumps(assumptions), encoding="utf-8")
        command += ["--assumptions", str(settings)]
    process = subprocess.Popen(  # noqa: S603  our own program
        command, stdout=subprocess.PIPE, stderr=errors, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    try:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], SECONDS)
        line = process.stdout.readline().decode() if readable else ""
        assert "http://" in line, f"the simulator did not start: {line!r}"
        yield Simulator(port=int(line.partition("http://")[2].split(",")[0].rpartition(":")[2]), process_id=process.pid)
    finally:
        process.terminate()
        process.wait(SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def set_clock(simulator: Simulator, moment: str) -> None:
    """Set virtual time to an RFC 3339 moment."""
    simulator.control("PUT", "/clock", {"now": moment})


def open_shop(simulator: Simulator, number: str, *, is_limited: bool = False) -> Shop:
    """Open a shop of that number; unless `is_limited`, it may call as often as it likes."""
    made = simulator.control("POST", "/shops", {"number": number})
    if not is_limited:
        simulator.control("PUT", "/limits", {"requests_per_second": 1000, "burst": 1000, "shop": number})
    return Shop(
        simulator=simulator,
        id=number,
        service_secret=made["service_secret"],
        license_key=made["license_key"],
    )


def place_order(
    shop: Shop, number: str, placed_at: str, *, progress: int, raw: Mapping[str, object] | None = None
) -> None:
    """Place one plain order with that number, time and state; `raw` replaces members of its tree."""
    shop.control(
        "POST",
        "/orders",
        {
            "is_plain": True,
            "progress": progress,
            "placed_at": f"{placed_at[:-2]}:{placed_at[-2:]}",
            "raw": {"orderNumber": number, **(raw or {})},
        },
    )


def _read(received: bytes) -> WireAnswer:
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    _, status, reason = status_line.split(" ", 2)
    if any(line.lower() == "transfer-encoding: chunked" for line in lines):
        body = b"".join(_chunks(body))
    return WireAnswer(status=int(status), reason=reason, lines=lines, body=body)


def _chunks(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        yield rest[:length]
        body = rest[length + 2 :] if length else b""
