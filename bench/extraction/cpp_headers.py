"""What g++'s headers give, name by name: `python -m bench.extraction.cpp_headers > codeocean/context/cpp_headers.json`.

Each name that stands anywhere in the headers is asked for behind each of them alone, with `using std::name` and
`using ::name`; macros are listed by the preprocessor. Names that begin with an underscore are left out. It takes
half a minute.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path

TABLE = Path(__file__).parents[2] / "codeocean" / "context" / "cpp_headers.json"
SPACES = {
    "chrono": "chrono", "filesystem": "filesystem", "this_thread": "thread", "placeholders": "functional",
    "literals": "chrono string string_view complex", "chrono_literals": "chrono", "string_literals": "string",
    "string_view_literals": "string_view", "complex_literals": "complex", "pmr": "memory_resource",
    "regex_constants": "regex", "rel_ops": "utility", "execution": "execution",
}  # fmt: skip
"""Namespaces in `std`, of which `using` cannot ask, and their headers."""
APART = frozenset({"tgmath.h", "complex.h", "ccomplex", "ctgmath", "stdatomic.h", "threads.h"})
"""Headers that do not go together with others."""


def told(text: str, *flags: str) -> tuple[str, str]:
    """What g++ prints and complains of about a text."""
    command = ["g++", "-std=c++17", "-w", "-x", "c++", "-", *flags]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    return done.stdout, done.stderr


def visible(headers: list[str], names: list[str], scope: str) -> set[str]:
    """The names that a scope has behind some headers."""
    text = "".join(f"#include <{header}>\n" for header in headers)
    for number, name in enumerate(names):
        text += f"#ifdef {name}\n#undef {name}\n#endif\nnamespace q{number} {{ using {scope}::{name}; }}\n"
    _, errors = told(text, "-fsyntax-only", "-fmax-errors=0", "-fno-diagnostics-show-caret")
    lines = {(int(line) - len(headers) - 1) // 4 for line in re.findall(r"^<stdin>:(\d+):\d+: error: ", errors, re.M)}
    return {name for number, name in enumerate(names) if number not in lines}


def macros(header: str) -> set[str]:
    """The macros that a header defines."""
    defined = [set(re.findall(r"^#define (\w+)", told(text, "-dM", "-E")[0], re.M))
               for text in ("", f"#include <{header}>\n")]  # fmt: skip
    return {name for name in defined[1] - defined[0] if not name.startswith("_")}


def main() -> None:
    """Ask for all and print the table."""
    headers = json.loads(TABLE.read_text(encoding="utf-8"))["headers"].split()
    together = [header for header in headers if header not in APART]
    text, _ = told("".join(f"#include <{header}>\n" for header in together), "-E")
    words = sorted(set(re.findall(r"[A-Za-z]\w*", text)))
    by: dict[str, dict[str, set[str]]] = {"std": defaultdict(set), "global": defaultdict(set)}
    asked = {kind: sorted(visible(together, words, scope)) for kind, scope in (("std", "std"), ("global", ""))}
    for header in headers:
        for kind, scope in (("std", "std"), ("global", "")):
            for name in visible([header], asked[kind], scope):
                by[kind][name].add(header)
        for name in macros(header):
            by["global"][name].add(header)
    for name, given in SPACES.items():
        by["std"][name].update(given.split())
    table: dict[str, object] = {"headers": " ".join(headers)}
    for kind, names in by.items():
        groups = defaultdict[str, list[str]](list)
        for name, given_by in names.items():
            groups[" ".join(sorted(given_by))].append(name)
        table[kind] = [{"headers": key, "names": " ".join(sorted(groups[key]))} for key in sorted(groups)]
    print(json.dumps(table, indent=0))


if __name__ == "__main__":
    main()
