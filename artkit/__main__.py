"""`python -m artkit`: the same as the `artkit` command."""

from __future__ import annotations

import sys

from artkit.cli import main

sys.exit(main())
