"""Headers under which a page of our own is served: it runs its own script and style, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re


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


def page_headers(page: bytes) -> list[tuple[bytes, bytes]]:
    """Headers of a page, as ASGI wants them."""
    return [
        (b"content-security-policy", content_security_policy(page).encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-frame-options", b"DENY"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
