"""The simulator's process loads nothing of the adapter that is tested against it."""

import re
import subprocess
import sys
from pathlib import Path

from ichiba_samples import SEARCH_REQUEST
from ichiba_wire import open_shop, running_simulator

FORBIDDEN = ("hanro", "hanro_rakuten_ichiba.client", "hanro_rakuten_ichiba.mapping", "hanro_rakuten_ichiba.plugin")


def is_forbidden(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in FORBIDDEN)


def test_the_running_process_loads_no_hanro_and_no_adapter(tmp_path: Path) -> None:
    report = tmp_path / "imports.txt"
    with (
        report.open("wb") as errors,
        running_simulator(tmp_path, options=("-X", "importtime"), errors=errors) as running,
    ):
        shop = open_shop(running, "999001")
        shop.control("POST", "/orders", {})
        assert shop.post("searchOrder/", SEARCH_REQUEST).status == 200
        assert shop.get("shop/shopMaster").status == 200
    loaded = re.findall(r"\|\s*([\w.]+)$", report.read_text(encoding="utf-8"), re.MULTILINE)
    assert "hanro_rakuten_ichiba.simulator" in loaded
    assert "simkit" in loaded
    assert [module for module in loaded if is_forbidden(module)] == []


def test_importing_the_application_loads_no_hanro_and_no_adapter() -> None:
    program = "import sys, hanro_rakuten_ichiba.simulator.app; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)  # noqa: S603  our own program
    loaded = done.stdout.split()
    assert "hanro_rakuten_ichiba.simulator.app" in loaded
    assert [module for module in loaded if is_forbidden(module)] == []


def test_the_rule_names_what_it_must_and_no_more() -> None:
    assert is_forbidden("hanro.money")
    assert is_forbidden("hanro_rakuten_ichiba.plugin")
    assert not is_forbidden("hanro_rakuten_ichiba")
    assert not is_forbidden("hanro_rakuten_ichiba.simulator.app")
