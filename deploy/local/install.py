"""Install the pinned requirements and this workspace into a virtual environment, and never be silent for long.

Run by the Makefile with the system's Python, so it uses the standard library alone:
`python3 deploy/local/install.py <python of the venv> <requirements file> -e ./package …`.
"""

import subprocess
import sys
import threading
import time

SECONDS_BETWEEN_LINES = 4.0


def run(title: str, command: list[str]) -> None:
    """Run one step; print its title, a line every few seconds, and its duration. Its output is shown if it fails."""
    started = time.monotonic()
    print(f"[venv] {title}", flush=True)
    finished = threading.Event()

    def tell() -> None:
        while not finished.wait(SECONDS_BETWEEN_LINES):
            print(f"[venv]   {title} … {time.monotonic() - started:.0f} s", flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    finished.set()
    teller.join()
    if answer.returncode:
        print(answer.stdout[-3000:])
        sys.exit(f"[venv] {title} failed: read the lines above; the network or the disk is the usual cause")
    print(f"[venv] {title}: {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    """Install what the arguments name: hash-checked requirements first, then the packages of the workspace."""
    python, requirements, *editable = sys.argv[1:]
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    run(f"installing {requirements}", [*pip, "--require-hashes", "-r", requirements])
    run("installing the workspace", [*pip, "--no-deps", "--no-build-isolation", *editable])


if __name__ == "__main__":
    main()
