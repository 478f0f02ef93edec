"""A job's options → values, by typer: help, near misses and exit code 2 for what is wrong, in plain text for any pipe.

Imports neither Ray nor a stage: the help of a command costs nothing else.
"""

from __future__ import annotations

import difflib
import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, get_args

import typer
from typer.core import TyperGroup

REQUIRED = inspect.Parameter.empty
"""In the place of a default."""

Options = dict[str, tuple[Any, Any]]
"""Name → annotation, as typer reads it, and default."""

LINE_CHARS = 100
EXIT_CODES = "Exit codes: 0 done; 1 a failure of the program or the machine; 2 one that you can mend; 130 Ctrl-C."


def option(kind: Any, text: str, default: Any = None, *, name: str = "", metavar: str | None = None) -> tuple[Any, Any]:
    """An option: type, help, default; `name` where it is not the key with dashes."""
    given = (name,) if name else ()
    shown = default not in (None, [], False)
    return Annotated[kind, typer.Option(*given, help=text, metavar=metavar, show_default=shown)], default


def flag(name: str, text: str) -> tuple[Any, Any]:
    """An option that is given or not."""
    return option(bool, text, default=False, name=f"--{name.replace('_', '-')}")


def argument(kind: Any, text: str, default: Any = REQUIRED, *, metavar: str | None = None) -> tuple[Any, Any]:
    """A positional argument."""
    return Annotated[kind, typer.Argument(help=text, metavar=metavar, show_default=False)], default


RECIPE: Options = {
    "config": option(str, "recipe, such as configs/demo.yaml", REQUIRED, metavar="RECIPE"),
    "set": option(list[str], "override a setting; again for another", [], metavar="SECTION.KEY=VALUE"),
    "run_dir": option(str | None, "run directory, instead of the recipe's", metavar="DIR"),
}
"""What every job that reads a recipe takes."""


def parse(job: str, what: str, options: Options, arguments: list[str] | None, more: str = "") -> SimpleNamespace:
    """The values of a command line.

    Args:
        job: name of the job.
        what: what it does.
        options: what it takes.
        arguments: without the program's name; None takes the process's.
        more: paragraphs below the options.

    Raises:
        SystemExit: help was asked for (0), or the command line is wrong (2); it has been said.
    """
    found: dict[str, Any] = {}

    def take(**values: Any) -> None:
        found.update(values)

    kinds = inspect.Parameter.KEYWORD_ONLY
    take.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kinds, annotation=kind, default=default) for name, (kind, default) in options.items()]
    )
    take.__annotations__ = {name: kind for name, (kind, _) in options.items()}
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": LINE_CHARS}
    app.command(help=what, epilog=more, context_settings=settings)(take)
    try:
        app(args=arguments, prog_name=f"wavecoder {job}")
    except SystemExit as ended:
        if ended.code or not found:
            raise
    return SimpleNamespace(**found)


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
        app.command(cmd_name, help=self.jobs[cmd_name])(_stand_in)
        return typer.main.get_command(app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The jobs, group by group."""
        for group, names in self.groups.items():
            with formatter.section(group):
                formatter.write_dl([(name, self.jobs[name]) for name in names])


def _stand_in() -> None: ...


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if asked:
        print(f"wavecoder {version('wavecoder-ray')}")
        raise typer.Exit


VERSION = Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it and exit.")]


def _root(*, _version: VERSION = False) -> None:
    """From open-source code to a better code model. `wavecoder JOB --help` tells more of each."""


def list_jobs(jobs: Mapping[str, str], groups: Mapping[str, Sequence[str]], arguments: list[str]) -> int:
    """`wavecoder --help`, `--version`, completion of the shell, and what is no job; returns the exit code."""
    if arguments and not arguments[0].startswith("-") and arguments[0] not in jobs:
        near = difflib.get_close_matches(arguments[0], jobs, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        print(f"wavecoder: there is no job {arguments[0]!r}; {meant}`wavecoder --help` lists them", file=sys.stderr)
        return 2
    _Jobs.jobs, _Jobs.groups = jobs, groups
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

    settings = {"help_option_names": ["-h", "--help"], "max_content_width": LINE_CHARS}
    app.callback(cls=_Jobs, context_settings=settings, epilog=EXIT_CODES, subcommand_metavar="JOB [OPTIONS]")(_root)
    try:
        app(args=arguments or ["--help"], prog_name="wavecoder")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def as_json(value: Mapping[str, Any] | list[Any]) -> str:
    """What `--json` prints: one line."""
    return json.dumps(value, ensure_ascii=False, default=str)
