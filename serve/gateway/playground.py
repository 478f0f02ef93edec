"""The page at `/`: chat and the four tasks, for a look at what a model does. One file, nothing from elsewhere.

Its policy lets it run its own script and style, known by their hashes, and talk to the server that it came from: text
that a model writes is shown as text, and could not run if it were not. A key that is typed in stays in its memory.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).with_name("playground.html").read_bytes()


def content_security_policy(page: bytes) -> str:
    """The strictest policy under which a page's inline script and style still work."""

    def source_of(tag: bytes) -> str:
        parts = re.findall(rb"<%s>(.*?)</%s>" % (tag, tag), page, re.DOTALL)
        return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(part).digest()).decode()}'" for part in parts)

    return (
        f"default-src 'none'; script-src {source_of(b'script')}; style-src {source_of(b'style')}; connect-src 'self'; "
        "img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


PAGE_HEADERS = [
    (b"content-security-policy", content_security_policy(PAGE).encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
