"""Run the command line as ``python -m gametheory_pref``."""

import sys

from .cli import main

sys.exit(main())
