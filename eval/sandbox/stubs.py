"""Candidate and tests of a language as two programs: one that answers calls, one that makes them.

The tests' program gets, for each function of the candidate that it names, one of the same signature that asks the other
program (`eval/drivers`). Where an entry point is given, it is the only one. Names that the tests or the language
define themselves never become calls.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from eval.answers.braces import cut_at_close, without_block
from eval.sandbox import go_generics, go_types
from eval.sandbox.cpp import streams
from eval.sandbox.cpp import stubs as cpp_stubs
from eval.sandbox.cpp.crossing import Crossing, add_functions, crossing
from eval.sandbox.cpp.ways import iterated, referred_array
from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.plain_text import without_comments
from eval.sandbox.reserved import RESERVED, without_library
from eval.sandbox.rust import programs as rust_programs
from eval.sandbox.rust import traits as rust_traits
from eval.sandbox.signatures import functions_of, is_plain
from eval.sandbox.typescript import without_types

Files = dict[str, str]

GO_PACKAGES = {"assert": "github.com/stretchr/testify/assert"} | {
    path.rpartition("/")[2]: path
    for path in (
        *("bytes", "errors", "fmt", "math", "math/bits", "math/big", "math/rand", "os", "os/exec", "reflect", "regexp"),
        *("sort", "strconv", "strings", "testing", "time", "unicode", "unicode/utf8", "crypto/md5", "encoding/hex"),
        *("container/heap", "container/list", "io", "bufio", "sync", "sync/atomic", "encoding/json", "context"),
        *("math/cmplx", "unicode/utf16", "encoding/base64", "container/ring", "text/tabwriter"),
    )
}
"""What a Go program may import, by the name that it uses."""
CPP_CALLS = 3
"""The number of the first function of a C++ candidate, as `CALLS` of `wire.hpp`."""


@cache
def driver(name: str) -> str:
    """The text of a file of `eval/drivers`."""
    return (Path(__file__).with_name("drivers") / name).read_text(encoding="utf-8")


def split(
    candidate: str,
    tests: str,
    language: str,
    entry_point: str | None,
    known: list[Function] | None = None,
    *,
    plain: bool = False,
) -> tuple[Files, Files]:
    """The files of the candidate's program and of the tests' program.

    Args:
        candidate: its source.
        tests: the benchmark's.
        language: of both.
        entry_point: the only name that the tests may ask the candidate for; None: all that they call.
        known: the functions that the tests call, where somebody knows better than the text.
        plain: nothing but functions of plain data.
    """
    if language == "typescript":
        candidate, tests = without_types(candidate), without_types(tests)
    if language in {"javascript", "typescript"}:
        return _javascript(candidate, tests, entry_point)
    if language == "java":
        return _java(candidate, tests, entry_point)
    own = frozenset() if plain else own_names(candidate, language)
    functions = functions_of(candidate, language, own) if known is None else known
    functions = [f for f in functions if _is_wanted(f.name, tests, language, entry_point)]
    names = without_library((f.name for f in functions), language)
    wanted = [_renamed(f) for f in functions if f.name in names]
    if language == "cpp":
        nothing = Crossing([], [], [], [], set(), set())
        return _cpp(candidate, tests, wanted, nothing if plain else crossing(candidate, tests, entry_point))
    if language == "rust":
        return rust_programs.programs(candidate, tests, wanted, driver, plain=plain)
    return _go(candidate, tests, wanted, plain=plain)


def own_names(candidate: str, language: str) -> frozenset[str]:
    """The types and traits of Rust and Go that a candidate declares and that cross."""
    if language == "rust":
        return frozenset(
            [*rust_programs.types_of(candidate), *rust_traits.traits(without_comments(candidate, language))]
        )
    return frozenset(go_types.data_types(without_comments(candidate, language)) if language == "go" else ())


def wanted_names(candidate: str, tests: str, language: str, entry_point: str | None) -> list[str]:
    """The names that the tests call and the candidate may define."""
    called = re.findall(r"\b([A-Za-z_]\w*)\s*\(", tests)
    names = {entry_point} if entry_point else set(called)
    mine = set(re.findall(r"\w+", candidate))
    wanted = (name for name in names if name in mine and _is_wanted(name, tests, language, entry_point))
    return sorted(without_library(wanted, language))


def _renamed(function: Function) -> Function:
    """With parameters whose names collide with nothing in a stub."""
    return replace(function, parameters=tuple((f"a{n}", kind) for n, (_, kind) in enumerate(function.parameters)))


def _is_wanted(name: str, tests: str, language: str, entry_point: str | None) -> bool:
    given = {"rust": r"(?:::<[^;]*?>\s*)?", "go": r"(?:\[[^\]();]*\]*)?"}.get(language, "")
    behind = rf"\b{name}\s*[(,)]" if language == "cpp" else rf"\b{name}\s*{given}\("  # C++: it may be an argument
    if not re.search(behind, tests) or (
        not re.search(rf"\b{name}\s*{given}\(", tests) and re.search(rf"[\w>][\s&*]+{name}\s*[=;,({{\[:]", tests)
    ):
        return False
    if any(f.name == name for f in functions_of(tests, language)):
        return False
    return name == entry_point if entry_point else name not in RESERVED[language]


def _javascript(candidate: str, tests: str, entry_point: str | None) -> tuple[Files, Files]:
    defined = set(re.findall(r"\b(?:const|let|var|function\*?|class)\s+([A-Za-z_$][\w$]*)", tests))
    named = sorted(({entry_point} if entry_point else set(re.findall(r"[A-Za-z_$][\w$]*", tests))) - defined)
    names = json.dumps({"candidate": named, "entry_point": entry_point})
    serve = "\n;require('./wire.js').serve(wavecoderName => eval(wavecoderName))\n"
    candidate = _as_script(candidate)
    directive = re.match(r"(?:\s|//[^\n]*\n|/\*.*?\*/)*(['\"]use strict['\"])", candidate, re.DOTALL)
    strict = f"{directive[1]};" if directive else ""
    wire = {name: driver(name) for name in ("wire.js", "objects.js", "promises.js", "heirs.js")}
    return (
        {"candidate.js": strict + driver("before.js") + candidate + serve, "needs.js": driver("needs.js"), **wire},
        {"tests.js": driver("tests.js"), **wire, "tests.source.js": tests, "names.json": names},
    )


def _as_script(module: str) -> str:
    """A JavaScript module as a script: what it exports is a name of its scope in any case."""
    line, named = r"^[ \t]*export[ \t]*", r"(?=(?:async[ \t]+)?function\b[ \t*]*[\w$]|class[ \t]+[\w$])"
    for pattern, made in (
        (line + r"\{[^}]*\}[ \t]*;?", ""),
        (line + r"default[ \t]+" + named, ""),
        (line + r"default\b", "module.exports ="),
        (line + r"(?=(?:const|let|var|function|class|async)\b)", ""),
    ):
        module = re.sub(pattern, made, module, flags=re.MULTILINE)

    def required(match: re.Match[str]) -> str:
        listed = None if match[1] is None else re.sub(r"\bas\b", ":", match[1])
        return f"const {match[2] if listed is None else '{' + listed + '}'} = require({match[3]})"

    what, where = r"(?:\{([^}]*)\}|(?:\*\s*as\s+)?([\w$]+))", r"(\"[^\"]+\"|'[^']+')"
    return re.sub(rf"^[ \t]*import[ \t]+{what}\s+from[ \t]+{where}", required, module, flags=re.MULTILINE)


def _cpp(candidate: str, tests: str, functions: list[Function], made: Crossing) -> tuple[Files, Files]:
    """Both programs; what crosses beside functions of plain data is numbered behind them."""
    functions = [each for each in functions if each.name not in made.names]
    ranges = [f for f in functions if any(iterated(kind) or referred_array(kind) for _, kind in f.parameters)]
    functions = [each for each in functions if each not in ranges]
    made = add_functions(made, ranges)
    cases, stubs = [], []
    for number, f in enumerate(functions, CPP_CALLS):
        kinds = ", ".join(kind for _, kind in f.parameters)
        given = "".join(f", (std::forward<{kind}>({name}))" for name, kind in f.parameters)
        parameters = ", ".join(f"{kind} {name}" for name, kind in f.parameters)
        stream = streams.returned(f)
        returns = "void" if stream else f.returns
        call = f"[]({parameters}) -> {returns} {{ {'' if stream else 'return '}{f.name}({given[2:]}); }}"
        taken = ", ".join([returns, *(streams.carried(kind) for _, kind in f.parameters)])
        cases.append(f"case {number}: wavecoder::answer<{taken}>({call}); break;")
        asked = f"wavecoder::Call<{kinds}>::template to<{returns}>({number}{given})"
        shown = f.returns if stream else f"wavecoder::Plain<{returns}>"
        body = f"{asked}; return {stream}" if stream else f"return {asked}"
        stubs.append(f"{shown} {f.name}({parameters}) {{ {body}; }}")
    theirs, ours = cpp_stubs.parts(made, CPP_CALLS + len(functions))
    cases += ours.cases
    serve = f"void wavecoder_serve(unsigned char number) {{ switch (number) {{ {' '.join(cases)} "
    serve += "case wavecoder::ASKS: wavecoder::serve_lent(); break; default: _exit(wavecoder::GONE); } }\n"
    serve += "int main() { wavecoder::server() = wavecoder_serve; for (;;) wavecoder::answer_next(); }\n"
    kinds_taken = [kind for f in functions for _, kind in f.parameters]
    kinds_taken += [kind for _, each in made.members for kind in each.kinds]
    names = ["streams.hpp"] if streams.has_streams(kinds_taken) else []
    names += [] if made.is_empty else ["objects.hpp", "references.hpp"]
    names += ["remote.hpp"] if not made.is_empty and cpp_stubs.needs_remote(made) else []
    wire = {name: driver(name) for name in names}
    head = '#include "wire.hpp"\n' + "".join(f'#include "{name}"\n' for name in wire)
    if made.is_empty:
        return (
            {"main.cpp": f"{head}{candidate}\n{serve}"} | wire,
            {"main.cpp": f"{head}using namespace std;\n{chr(10).join(stubs)}\n{tests}\n"} | wire,
        )
    own = "#define WAVECODER_OWN_NEW\n" if re.search(r"operator\s+new\b", candidate) else ""
    first = f"{own}#define WAVECODER_SIDE 1\n{head}{cpp_stubs.befriended(candidate, made)}\n{ours.text}\n{serve}"
    second = f"#define WAVECODER_SIDE 0\n{head}using namespace std;\n{theirs}\n{chr(10).join(stubs)}\n{tests}\n"
    return {"main.cpp": first} | wire, {"main.cpp": second} | wire


def _go(candidate: str, tests: str, functions: list[Function], *, plain: bool) -> tuple[Files, Files]:
    source = "" if plain else without_comments(candidate, "go")
    own = {
        name: text for name, text in go_types.data_types(source).items() if not re.search(rf"\btype\s+{name}\b", tests)
    }
    sentinels = {
        name: made for name, made in go_types.sentinels(source).items() if not re.search(rf"\b{name}\s*:?=", tests)
    }
    told, fields = go_types.with_fields(own, source, tests)
    stubs, named = [*told.values(), *go_types.constants(source, own)], list[str]()
    stubs += [f"var {name} = {made}" for name, made in sentinels.items()]
    known = go_types.registered(own, sentinels, fields)
    for receiver, name, method in go_types.methods(source, tests, own):
        f = go_generics.for_tests(method, tests)
        if is_plain(f, "go", frozenset(own)):
            number = go_generics.pick(f, len(named)) if f.generics else str(len(named))
            stubs.append(_go_stub(f, number, f"(a0 {receiver}) {name}", f.parameters[1:]))
            whole = replace(f, name=f"({receiver}).{name}")
            named += (
                [go_generics.instantiated(whole, x) for x in go_generics.instances(f)] if f.generics else [whole.name]
            )
    for f in [go_generics.for_tests(each, tests) for each in functions]:
        number = go_generics.pick(f, len(named)) if f.generics else str(len(named))
        stubs.append(_go_stub(f, number, f"{f.name}{go_generics.head(f) if f.generics else ''}", f.parameters))
        named += [go_generics.instantiated(f, x) for x in go_generics.instances(f)] if f.generics else [f.name]
    cases = re.findall(r"^func (Test\w*)\(", tests, re.MULTILINE)
    listed = ", ".join(f'{{"{name}", {name}}}' for name in cases)
    run = ("package main\nimport \"testing\"\nfunc main() { testing.Main("
           "func(string, string) (bool, error) { return true, nil }, "
           f"[]testing.InternalTest{{{listed}}}, nil, nil) }}\n")  # fmt: skip
    serve = f"{known}func main() {{ wavecoderOwner = true; wavecoderServe([]interface{{}}{{{', '.join(named)}}}) }}\n"
    body = re.sub(r"^\s*package \w+", "", tests)
    names = ("wire.go", "functions.go", "shared.go", "lent.go", "errors.go", "channels.go", "contexts.go")
    wire = {name: _beside_names(driver(name), source) for name in names}
    return (
        {"candidate.go": go_file(candidate), "main.go": go_file(serve)} | wire,
        {
            "tests.go": go_file(body),
            "stubs.go": go_file("\n".join([*stubs, known])),
            "main.go": run,
        }
        | wire,
    )


def _beside_names(text: str, source: str) -> str:
    """A file of the wire's whose imports have names of their own where the candidate declares theirs."""
    declared = set(re.findall(r"^(?:type|func|var|const)[ \t]+(\w+)", source, re.MULTILINE))
    for path in re.findall(r"^\t\"([\w/]+)\"$", text, re.MULTILINE):
        name = path.rpartition("/")[2]
        if name in declared:
            text = text.replace(f'\t"{path}"\n', f'\twavecoder_{name} "{path}"\n')
            pieces = re.split(r'("[^"\n]*")', text)  # every other one is a text of Go's
            pieces[::2] = [re.sub(rf"(?<![\w.]){name}\.", f"wavecoder_{name}.", piece) for piece in pieces[::2]]
            text = "".join(pieces)
    return text


def _go_stub(f: Function, number: str, head: str, declared: tuple[tuple[str, str], ...]) -> str:
    """A function or method of the tests' program that asks for the candidate's of a number."""
    parameters = ", ".join(f"{name} {kind}" for name, kind in declared)
    names = "".join(f", {name}" for name, _ in f.parameters)
    kind = f"func({', '.join(kind for _, kind in f.parameters)}) {f.returns}"
    results = _go_results(f.returns)
    values = ", ".join(f"wavecoderOf[{result}](r[{place}])" for place, result in enumerate(results))
    call = f"wavecoderCall({number}, reflect.TypeOf(({kind})(nil)){names})"
    body = f"r := {call}; return {values}" if results else call
    return f"func {head}({parameters}) {f.returns} {{ {body} }}"


def _go_results(returns: str) -> list[str]:
    inner = returns[1:-1] if returns.startswith("(") else returns
    parts = [part.strip() for part in split_at_commas(inner) if part.strip()]
    return [part.rpartition(" ")[2] if re.fullmatch(r"\w+ [\w\[\]]+", part) else part for part in parts]


def go_file(source: str) -> str:
    """A file of package main that imports what it uses: what it imports in vain Go would refuse."""
    source = re.sub(r"^\s*package \w+[^\n]*$", "", source, count=1, flags=re.MULTILINE)
    paths: dict[str, str] = {}

    def note(match: re.Match[str]) -> str:
        for name, path in re.findall(r"([\w.]+\s+)?\"([^\"]+)\"", match[0].removeprefix("import")):
            paths[path] = name.strip()
        return ""

    body = re.sub(r"^import\s*\([^)]*\)|^import\s+(?:\w+\s+)?\"[^\"]+\"", note, source, flags=re.MULTILINE)
    code = re.sub(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|`[^`]*`', '""', body)
    used = set(re.findall(r"(?<![\w.)\]])(\w+)\.", code))
    kept = {path: alias for path, alias in paths.items() if (alias or path.rpartition("/")[2]) in used | {"_", "."}}
    named = {alias or path.rpartition("/")[2] for path, alias in kept.items()}
    missing = {path: "" for name, path in GO_PACKAGES.items() if name in used - named and not _declares(code, name)}
    lines = "".join(f'import {alias} "{path}"\n' for path, alias in (kept | missing).items())
    return f"package main\n{lines}{body}\n"


def _declares(code: str, name: str) -> bool:
    """Whether a name that stands before a dot is a variable or a parameter, not a package."""
    if name == "assert":
        return "assert.New" not in code and bool(re.search(r"\bassert\s*:=", code))
    return bool(re.search(rf"\b{name}\s*(?:,\s*\w+\s*)*:=|\bvar\s+{name}\b|[(,]\s*{name}\s+[\w\[\]*]+", code))


def _java(candidate: str, tests: str, entry_point: str | None) -> tuple[Files, Files]:
    """The candidate as it is; the tests with what `Stubs.java` needs to make class Solution."""
    imports = "import java.util.*;\nimport java.util.stream.*;\nimport java.math.*;\nimport java.security.*;\n"
    head = re.search(r"^class Solution \{", tests, re.MULTILINE)
    own = f"{cut_at_close(tests[head.end() :], 'java')[:-1]}\n" if head else ""
    main = without_block(tests, r"class[ \t]+Solution\b", "java")
    given = re.findall(r"^import[ \t][^;]*;[ \t]*\n", tests, re.MULTILINE)
    main = re.sub(r"^import[ \t][^;]*;[ \t]*\n", "", main, flags=re.MULTILINE)
    named = re.findall(r"^import[ \t]+(?:static[ \t]+)?java[.x][^;]*;", candidate, re.MULTILINE)
    imports += "".join(given) + "".join(f"{each}\n" for each in dict.fromkeys(named) if each not in imports)
    called = sorted(set(re.findall(r"\b(\w+)\s*\(", main)) - set(RESERVED["java"]))
    return (
        {"Solution.java": candidate},
        {
            "Main.java": f"{imports}{main}",
            "candidate.txt": candidate,
            "imports.txt": imports,
            "own.txt": own,
            "names.txt": " ".join([entry_point] if entry_point else called),
        },
    )
