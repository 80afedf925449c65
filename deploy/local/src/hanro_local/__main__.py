"""Runs `python -m hanro_local run`, `demo` and `clean`."""

import sys

from hanro_local.command import main

sys.exit(main(sys.argv[1:]))
