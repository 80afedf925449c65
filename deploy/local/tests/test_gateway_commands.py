"""Gateway and issuer as the commands that the local stack starts."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_until_healthy(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False, timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(url)


def test_both_start_work_together_and_stop_at_a_signal(tmp_path: Path) -> None:
    ports = {"issuer": free_port(), "gateway": free_port()}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    (tmp_path / "routes.json").write_text(json.dumps({"issuer": urls["issuer"]}))
    more = {
        "issuer": ["--state", str(tmp_path / "issuer"), "--issuer-url", urls["gateway"]],
        "gateway": ["--routes", str(tmp_path / "routes.json")],
    }
    running = [
        subprocess.Popen([sys.executable, "-m", f"hanro_local.{name}", "--port", str(port), *more[name]])
        for name, port in ports.items()
    ]
    try:
        for url in urls.values():
            wait_until_healthy(url)
        discovery = httpx.get(f"{urls['gateway']}/.well-known/openid-configuration", trust_env=False).json()
        clients = json.loads((tmp_path / "issuer" / "clients.json").read_text())
        form = {
            "grant_type": "client_credentials",
            "client_id": "demo",
            "client_secret": clients["demo"]["secret"],
        }
        answer = httpx.post(discovery["token_endpoint"], data=form, trust_env=False)
        assert answer.status_code == 200
    finally:
        started = time.monotonic()
        for process in running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(timeout=10) for process in running]
    assert set(codes) <= {0, -signal.SIGTERM}
    assert time.monotonic() - started < 5
