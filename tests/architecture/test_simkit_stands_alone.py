"""What simulators share must load without hanro: foreign clients are pointed at simulators alone."""

import subprocess
import sys


def test_simkit_loads_no_module_of_hanro() -> None:
    program = "import simkit, sys; print([name for name in sys.modules if name.split('.')[0].startswith('hanro')])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert answer.stdout.strip() == "[]"
