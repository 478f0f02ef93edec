"""The page at `/`: chat and the four tasks, for a look at what a model does. One file, nothing from elsewhere.

Its policy lets it run its own script and style, known by their hashes, and talk to the server that it came from: text
that a model writes is shown as text, and could not run if it were not. A key that is typed in stays in its memory.
"""

from __future__ import annotations

from pathlib import Path

from core.page_policy import page_headers

PAGE = Path(__file__).with_name("playground.html").read_bytes()

PAGE_HEADERS = page_headers(PAGE)
