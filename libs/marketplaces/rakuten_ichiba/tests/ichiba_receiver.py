"""Receives event notifications as a shop's server does, and answers as a test says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RECEIVED = b"<responseModel><resultCode>N-000-000</resultCode></responseModel>"


@dataclass
class Receiver:
    """Hold what came; `answers` are given in turn, the last one from then on."""

    port: int = 0
    answers: list[tuple[int, bytes]] = field(default_factory=lambda: [(200, RECEIVED)])
    bodies: list[str] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        """Give the address to notify."""
        return f"http://127.0.0.1:{self.port}/notices/ichiba?secret=in-the-query"

    def wait(self, count: int = 1) -> None:
        """Wait until so many more have come."""
        for _ in range(count):
            assert self.came.acquire(timeout=20), f"only {len(self.bodies)} came"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive on a free port for the length of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.bodies.append(body.decode())
            receiver.types.append(self.headers["Content-Type"])
            status, answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            receiver.came.release()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
