"""API keys of the gateway: `wavecoder keys create|list|revoke`. A key is shown once, when made; needs no cluster."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from ray_jobs.cli import JOBS, run_guarded
from serve.gateway.keys import CLIENT_ROUTES, Key, Route, create_key, read_keys, read_usage, revoke_key
from serve.gateway.limits import Limits

UNITS = {"h": 1, "d": 24, "w": 7 * 24}
"""Hours of what a lifetime may be given in."""


def expiry(lifetime: str | None, now: datetime) -> datetime | None:
    """When a lifetime such as 90d is over; None: never.

    Raises:
        ValueError: it is none.
    """
    if lifetime is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([hdw])", lifetime)
    if match is None:
        raise ValueError(f"--expires {lifetime!r} should be a number of hours, days or weeks, such as 12h, 90d or 4w")
    return (now + timedelta(hours=int(match[1]) * UNITS[match[2]])).replace(microsecond=0)


def create(options: argparse.Namespace) -> None:
    """Make a key and print it, alone on standard output.

    Raises:
        ValueError: an option is out of bounds.
    """
    limits = {name: getattr(options, name) for name in Limits.model_fields}
    try:
        secret, key = create_key(
            options.keys,
            name=options.name,
            expires=expiry(options.expires, datetime.now(UTC)),
            models=tuple(options.models) if options.models else None,
            routes=tuple(options.routes),
            limits=Limits(**limits),
        )
    except ValidationError as error:
        faults = error.errors(include_url=False)
        said = (f"{_option(each['loc'][0])} {each['input']!r}: {each['msg'][0].lower()}{each['msg'][1:]}"
                for each in faults)  # fmt: skip
        raise ValueError("; ".join(said)) from None
    print(f"key {key.id} for {key.name!r} is in {options.keys}; it is shown only now:", file=sys.stderr)
    print(secret)


def _option(field: int | str) -> str:
    return f"--{str(field).replace('_', '-')}"


def show(options: argparse.Namespace) -> None:
    """Print every key, its standing and its use so far."""
    used = read_usage(options.keys)
    table = Table("id", "name", "standing", "expires", "models", "routes", "limits", "requests", "tokens")
    for key in read_keys(options.keys):
        table.add_row(*_row(key, used.get(key.id, {})))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _row(key: Key, used: dict[str, Any]) -> list[str]:
    limits = key.limits.model_dump(exclude_none=True)
    return [
        key.id,
        key.name,
        key.standing(datetime.now(UTC)),
        f"{key.expires:%Y-%m-%d %H:%M}" if key.expires else "never",
        ", ".join(key.models) if key.models else "all",
        ", ".join(key.routes),
        ", ".join(f"{name} {value}" for name, value in limits.items()) or "none",
        str(used.get("total_requests", 0)),
        str(used.get("total_tokens", 0)),
    ]


def revoke(options: argparse.Namespace) -> None:
    """Refuse a key from now on; a running gateway follows with its next request."""
    key = revoke_key(options.keys, options.id)
    print(f"key {key.id} of {key.name!r} is revoked", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="wavecoder keys", description=JOBS["keys"])
    commands = parser.add_subparsers(required=True, metavar="create|list|revoke")
    making = commands.add_parser("create", help="make a key; it is printed once")
    making.add_argument("--name", required=True, help="whose it is")
    making.add_argument("--expires", metavar="90d", help="hours, days or weeks from now; by default never")
    making.add_argument("--models", nargs="+", metavar="NAME", help="models that it may ask; by default all")
    making.add_argument("--routes", nargs="+", choices=get_args(Route), default=CLIENT_ROUTES,
                        help="what it may call; by default all but metrics")  # fmt: skip
    for name, field in Limits.model_fields.items():
        making.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help=field.description)
    listing = commands.add_parser("list", help="every key, its standing and its use; no secrets")
    revoking = commands.add_parser("revoke", help="refuse a key from now on")
    revoking.add_argument("id", help="as `list` shows it")
    for command, work in ((making, create), (listing, show), (revoking, revoke)):
        command.add_argument("--keys", required=True, type=lambda text: Path(text).expanduser(), metavar="FILE",
                             help="the file that serve.gateway.keys names")  # fmt: skip
        command.set_defaults(work=work)
    options = parser.parse_args(arguments)
    return run_guarded("keys", lambda _: options.work(options))


if __name__ == "__main__":
    sys.exit(main())
