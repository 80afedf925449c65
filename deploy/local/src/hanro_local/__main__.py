"""Runs `python -m hanro_local run` and `python -m hanro_local clean`."""

import sys

from hanro_local.command import main

sys.exit(main(sys.argv[1:]))
