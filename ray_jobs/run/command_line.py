"""A job's options → values, by typer: help, near misses and exit code 2 for what is wrong, in plain text for any pipe.

Imports neither Ray nor a stage: the help of a command costs nothing else.
"""

from __future__ import annotations

import difflib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, get_args

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from ray_jobs.run.completion import ASKED

REQUIRED = inspect.Parameter.empty
"""In the place of a default."""

Options = dict[str, tuple[Any, Any]]
"""Name → annotation, as typer reads it, and default."""

LINE_CHARS = 100
EXIT_CODES = "Exit codes: 0 done; 1 a failure of the program or the machine; 2 one that you can mend; 130 Ctrl-C."


def option(
    kind: Any,
    text: str,
    default: Any = None,
    *,
    name: str = "",
    metavar: str | None = None,
    complete: Callable[[str], list[str]] | None = None,
) -> tuple[Any, Any]:
    """An option: type, help, default.

    Args:
        kind: its type.
        text: its help.
        default: its value where it is not given.
        name: its name, where that is not the key with dashes.
        metavar: what the help calls its value.
        complete: begin of a value → the values that the shell offers; for a Literal it knows them.
    """
    given = (name,) if name else ()
    shown = default not in (None, [], False)
    details = typer.Option(*given, help=text, metavar=metavar, show_default=shown, autocompletion=_named(complete))
    return Annotated[kind, details], default


def _named(complete: Callable[[str], list[str]] | None) -> Callable[[str], list[str]] | None:
    """The function in the form that typer calls: it goes by the names of parameters."""

    def offer(incomplete: str) -> list[str]:
        return complete(incomplete) if complete else []

    return offer if complete else None


def recipes(begin: str) -> list[str]:
    """Recipes of this folder and its `configs/`; where none begins so, the shell offers files."""
    found = sorted(str(path) for folder in (".", "configs") for path in Path(folder).glob("*.yaml"))
    return [path for path in found if path.startswith(begin)]


def languages(begin: str) -> list[str]:
    """Names of languages that begin so."""
    from core.languages import LANGUAGES

    return [name for name in LANGUAGES if name.startswith(begin)]


def words_of(*names: str) -> Any:
    """The type of an option that takes any of these words, several times; each is a member of an enumeration."""
    return list[StrEnum("Word", {name: name for name in names})]  # type: ignore[misc]


def flag(name: str, text: str) -> tuple[Any, Any]:
    """An option that is given or not."""
    return option(bool, text, default=False, name=f"--{name.replace('_', '-')}")


def argument(kind: Any, text: str, default: Any = REQUIRED, *, metavar: str | None = None) -> tuple[Any, Any]:
    """A positional argument."""
    return Annotated[kind, typer.Argument(help=text, metavar=metavar, show_default=False)], default


RECIPE: Options = {
    "config": option(
        str | None,
        "recipe, such as configs/demo.yaml; without it, the one that --run-dir keeps",
        metavar="RECIPE",
        complete=recipes,
    ),
    "set": option(list[str], "override a setting; again for another", [], metavar="SECTION.KEY=VALUE"),
    "run_dir": option(str | None, "run directory, instead of the recipe's", metavar="DIR"),
}
"""What every job that reads a recipe takes."""


Actions = Mapping[str, tuple[str, Callable[[], Options]]]
"""Word → what it does, and its options, which are asked for only where the word is given."""

_STYLE: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": LINE_CHARS}


def parse(
    job: str, what: str, options: Options, arguments: list[str] | None, more: str = "", usage: str = "[OPTIONS]"
) -> SimpleNamespace:
    """The values of a command line.

    Args:
        job: name of the job.
        what: what it does.
        options: what it takes.
        arguments: without the program's name; None takes the process's.
        more: paragraphs below the options.
        usage: what the first line of the help says of the options.

    Raises:
        SystemExit: help was asked for (0), or the command line is wrong (2); it has been said.
    """
    found: dict[str, Any] = {}
    app = typer.Typer(**_STYLE)
    app.command(help=what, epilog=more, context_settings=_CONTEXT, options_metavar=usage)(_taker(options, found))
    return _values(app, job, arguments, found)


def parse_action(job: str, what: str, actions: Actions, arguments: list[str] | None, more: str = "") -> SimpleNamespace:
    """The values of the command line of a job whose first word says what to do; the word is among them as `action`.

    Raises:
        SystemExit: as `parse`.
    """
    words = sys.argv[1:] if arguments is None else arguments
    found: dict[str, Any] = {}
    app = typer.Typer(**_STYLE)
    app.callback(help=what, epilog=more, context_settings=_CONTEXT, subcommand_metavar="ACTION [OPTIONS]")(_nothing)
    for action, (does, options) in actions.items():
        taken = _taker(options() if action in words else {}, found, action=action)
        app.command(action, help=does, context_settings=_CONTEXT)(taken)
    return _values(app, job, words, found)


def parse_known(options: Options, arguments: list[str]) -> SimpleNamespace:
    """The values of the options, from a command line that may hold any others; nothing is refused but a lone name."""
    found: dict[str, Any] = {}
    app = typer.Typer(**_STYLE)
    lenient = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(context_settings=lenient, add_help_option=False)(_taker(options, found))
    return _values(app, "", arguments, found)


def _taker(options: Options, found: dict[str, Any], **fixed: Any) -> Callable[..., None]:
    """What typer reads the options from, and calls with their values, which it keeps in `found`."""

    def take(**values: Any) -> None:
        found.update(values | fixed)

    kinds = inspect.Parameter.KEYWORD_ONLY
    take.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kinds, annotation=kind, default=default) for name, (kind, default) in options.items()]
    )
    take.__annotations__ = {name: kind for name, (kind, _) in options.items()}
    return take


def _values(app: typer.Typer, job: str, arguments: list[str] | None, found: dict[str, Any]) -> SimpleNamespace:
    if ASKED in os.environ:
        from typer.completion import get_completion_inspect_parameters

        get_completion_inspect_parameters()  # it registers the shells
    try:
        code = app(args=arguments, prog_name=f"wavecoder {job}", complete_var=ASKED, standalone_mode=False)
    except TyperException as error:
        print(_refusal(f"wavecoder {job}".rstrip(), error, [each.name or "" for each in app.registered_commands]),
              file=sys.stderr)  # fmt: skip
        raise SystemExit(error.exit_code) from None
    if code or not found:  # help was asked for
        raise SystemExit(code or 0)
    return SimpleNamespace(**found)


def _refusal(program: str, error: TyperException, actions: Sequence[str] = ()) -> str:
    """Typer's words on one line, with what was probably meant."""
    said = " ".join(error.format_message().split()).removesuffix(".").replace("Value error, ", "")
    if said == "Missing command":
        said += f": {' or '.join(filter(None, [', '.join(actions[:-1]), actions[-1]]))}"
    wrong, listed, allowed = said.rpartition("' is not one of ")
    near = difflib.get_close_matches(wrong.rpartition("'")[2], allowed.strip("'").split("', '"), 1) if listed else []
    return f"{program}: {said}{f'; did you mean {near[0]}?' if near else ''}; `{program} --help` lists the options"


def spread(arguments: list[str], names: tuple[str, ...]) -> list[str]:
    """`--routes chat models` and `--routes chat,models` as `--routes chat --routes models`, for options so named."""
    found: list[str] = []
    name = ""
    for word, after in zip(arguments, [*arguments, "-"][1:], strict=True):
        given, assigned, value = word.partition("=")
        if word.startswith("-"):
            name = "" if assigned or given not in names or after.startswith("-") else given
            if not name:
                values = value.split(",") if given in names and assigned else []
                found += [f"{given}={each}" for each in values] or [word]
        else:
            found += [f"{name}={each}" for each in word.split(",")] if name else [word]
    return found


def settings_help(section: str, model: Any) -> str:
    """The settings of a section, one a line: name, default, and the first sentence of what it does.

    The backspace in front keeps the lines as they are.
    """
    return "\n".join([f"\b\nSettings, in the recipe or by --set {section}.KEY=VALUE:", *_setting_lines(section, model)])


def _setting_lines(prefix: str, model: Any) -> list[str]:
    from pydantic import BaseModel  # a tenth of a second that `wavecoder --help` can do without

    lines = []
    for name, field in model.model_fields.items():
        key, nested = f"{prefix}.{name}", field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            lines += _setting_lines(key, nested)
            continue
        default = "required" if field.is_required() else _as_yaml(field.get_default(call_default_factory=True))
        first = " ".join((field.description or "").split()).partition(". ")[0].rstrip(".")
        lines.append(f"  {key} ({_short(default, 40)}): {_short(first, 150)}")
    return lines


def _as_yaml(value: Any) -> str:
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    text = json.dumps(value, default=str)
    return text.strip('"') if isinstance(value, str) else text


def options_help(title: str, options: Options) -> str:
    """Another way to call a job: its options, one a line."""
    lines = [f"\b\n{title}"]
    for key, (annotation, default) in options.items():
        info = get_args(annotation)[1]
        needed = " [required]" if default is REQUIRED else ""
        lines.append(f"  --{key.replace('_', '-')} {info.metavar or ''}".rstrip() + f": {info.help}{needed}")
    return "\n".join(lines)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


class _Jobs(TyperGroup):
    """`wavecoder` without a job: lists them in groups, and knows near misses; imports none of them."""

    jobs: ClassVar[Mapping[str, str]] = {}
    groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's own signature
        """All names."""
        return list(self.jobs)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """What stands for a job in help and completion."""
        if cmd_name not in self.jobs:
            return None
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(cmd_name, help=self.jobs[cmd_name])(_nothing)
        return typer.main.get_command(app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The jobs, group by group."""
        for group, names in self.groups.items():
            with formatter.section(group):
                formatter.write_dl([(name, self.jobs[name]) for name in names])


def _nothing() -> None: ...


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if asked:
        from importlib.metadata import version  # it loads the parser of e-mails

        print(f"wavecoder {version('wavecoder-ray')}")
        raise typer.Exit


VERSION = Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it and exit.")]


def _root(*, _version: VERSION = False) -> None:
    """From open-source code to a better code model. `wavecoder JOB --help` tells more of each."""


def list_jobs(jobs: Mapping[str, str], groups: Mapping[str, Sequence[str]], arguments: list[str]) -> int:
    """`wavecoder --help`, `--version`, completion of the shell, and what is no job; returns the exit code."""
    if arguments and not arguments[0].startswith("-") and arguments[0] not in jobs:
        near = difflib.get_close_matches(arguments[0].lower(), jobs, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        print(f"wavecoder: there is no job {arguments[0]!r}; {meant}`wavecoder --help` lists them", file=sys.stderr)
        return 2
    _Jobs.jobs, _Jobs.groups = jobs, groups
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

    settings = {"help_option_names": ["-h", "--help"], "max_content_width": LINE_CHARS}
    app.callback(cls=_Jobs, context_settings=settings, epilog=EXIT_CODES, subcommand_metavar="JOB [OPTIONS]")(_root)
    job = next((word for word in arguments if word in jobs), "")
    try:
        return int(app(args=arguments or ["--help"], prog_name="wavecoder", standalone_mode=False) or 0)
    except SystemExit as ended:
        return int(ended.code or 0)
    except TyperException as error:
        line = " ".join([f"wavecoder {job}", *(word for word in arguments if word != job)])
        print(f"wavecoder: options of a job come after it: `{line}`" if job else _refusal("wavecoder", error),
              file=sys.stderr)  # fmt: skip
        return 2


def as_json(value: Mapping[str, Any] | list[Any]) -> str:
    """What `--json` prints: one line."""
    return json.dumps(value, ensure_ascii=False, default=str)
