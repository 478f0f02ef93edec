"""API keys of the gateway: `wavecoder keys create|list|revoke`. A key is shown once, when made; needs no cluster."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_args

from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import (
    REQUIRED,
    Actions,
    Options,
    argument,
    as_json,
    flag,
    option,
    parse_action,
    spread,
    words_of,
)

if TYPE_CHECKING:
    from serve.gateway.keys import Key

UNITS = {"h": 1, "d": 24, "w": 7 * 24}
"""Hours of what a lifetime may be given in."""


def expiry(lifetime: str | None, now: datetime) -> datetime | None:
    """When a lifetime such as 90d is over; None: never.

    Raises:
        ValueError: it is not of that form.
    """
    if lifetime is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([hdw])", lifetime)
    if match is None:
        raise ValueError(f"--expires {lifetime!r} should be a number of hours, days or weeks, such as 12h, 90d or 4w")
    return (now + timedelta(hours=int(match[1]) * UNITS[match[2]])).replace(microsecond=0)


def create(options: SimpleNamespace) -> None:
    """Make a key and print it, alone on standard output.

    Raises:
        ValueError: an option is out of bounds.
    """
    from pydantic import ValidationError

    from serve.gateway.keys import create_key
    from serve.gateway.limits import Limits

    limits = {name: getattr(options, name) for name in Limits.model_fields}
    try:
        secret, key = create_key(
            options.keys,
            name=options.name,
            expires=expiry(options.expires, datetime.now(UTC)),
            models=tuple(options.models) if options.models else None,
            routes=tuple(route.value for route in options.routes),
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


def show(options: SimpleNamespace) -> None:
    """Print every key, its standing and its use so far."""
    from rich.console import Console
    from rich.table import Table

    from serve.gateway.keys import read_keys, read_usage

    used = read_usage(options.keys)
    found = [(key, used.get(key.id, {})) for key in read_keys(options.keys)]
    if options.json:
        print(as_json([_facts(*each) for each in found]))
        return
    table = Table("id", "name", "standing", "expires", "models", "routes", "limits", "requests", "tokens")
    for each in found:
        table.add_row(*_row(*each))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _facts(key: Key, used: dict[str, Any]) -> dict[str, Any]:
    """What is known of a key but for its digest, as JSON values."""
    known = key.model_dump(mode="json", exclude={"digest"}) | {"standing": key.standing(datetime.now(UTC))}
    return known | {"requests": used.get("total_requests", 0), "tokens": used.get("total_tokens", 0)}


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


def revoke(options: SimpleNamespace) -> None:
    """Refuse a key from now on; a running gateway follows with its next request."""
    from serve.gateway.keys import revoke_key

    key = revoke_key(options.keys, options.id)
    print(f"key {key.id} of {key.name!r} is revoked", file=sys.stderr)


KEYS = option(str, "the file that serve.gateway.keys names", REQUIRED, metavar="FILE")
SEVERAL = ("--models", "--routes")


def _creating() -> Options:
    from serve.gateway.keys import CLIENT_ROUTES, Route
    from serve.gateway.limits import Limits

    limits = {name: option(int | None, str(field.description), metavar="N")
              for name, field in Limits.model_fields.items()}  # fmt: skip
    return {
        "keys": KEYS,
        "name": option(str, "whose it is", REQUIRED, metavar="WHO"),
        "expires": option(str | None, "hours, days or weeks from now; by default never", metavar="90d"),
        "models": option(list[str], "models that it may ask; by default all", [], metavar="NAME[,NAME…]"),
        "routes": option(
            words_of(*get_args(Route)),
            f"what it may call, of {', '.join(get_args(Route))}",
            list(CLIENT_ROUTES),
            metavar="NAME[,NAME…]",
        ),
    } | limits


ACTIONS: Actions = {
    "create": ("make a key; it is printed once", _creating),
    "list": ("every key, its standing and its use; no secrets",
             lambda: {"keys": KEYS, "json": flag("json", "one line of JSON")}),
    "revoke": ("refuse a key from now on",
               lambda: {"id": argument(str, "as `list` shows it", metavar="ID"), "keys": KEYS}),
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    words = spread(sys.argv[1:] if arguments is None else arguments, SEVERAL)
    options = parse_action("keys", JOBS["keys"], ACTIONS, words)
    options.keys = Path(options.keys).expanduser()
    work = {"create": create, "list": show, "revoke": revoke}[options.action]
    return run_guarded("keys", lambda _: work(options))


if __name__ == "__main__":
    sys.exit(main())
