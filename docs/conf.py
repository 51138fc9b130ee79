"""How Sphinx builds the site of these pages: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "artkit"
author = "the artkit authors"
extensions = ["myst_parser", "site_gallery", "site_reference"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
smartquotes = False  # quotes are typed
html_theme = "furo"
html_title = "artkit"
exclude_patterns = ["public_names.txt"]
