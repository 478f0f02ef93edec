"""Tests that are data, as a program of a language: it makes each call twice and writes a letter for each.

The program is the tests' side of `eval.sandbox.oracle.judge`: the calls go to the solution's process. A line begins
with a mark that the solution does not know. Not covered: functions of several results, and types that are not plain
data; such a test is "X".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from eval.sandbox.literals import Unwritable, literal
from eval.sandbox.signatures import Function, functions_of, split_at_commas
from eval.sandbox.typescript import needs_compiler

Row = dict[str, Any]

_UNTYPED = {"javascript", "typescript"}
"""Languages whose values need no type: TypeScript's types are left out."""
_JAVA_TYPE = r"[\w.]+(?:\s*<[\w\s<>,.\[\]?]+>)?(?:\s*\[\])*"


class NotCallable(ValueError):  # noqa: N818 - what it says of a function
    """The function cannot be called with data."""


def program_of(
    solution: str, tests: Sequence[Row], places: Sequence[int], language: str, name: str, mark: str
) -> tuple[str, str, list[int]]:
    """The solution as the tests' program expects it, that program, and the places of tests that it does not hold.

    Args:
        solution: its source.
        tests: all tests of the problem.
        places: of those to run.
        language: of the solution, other than Python.
        name: of its function.
        mark: begins each line of the program's that counts.

    Raises:
        NotCallable: the function cannot be called with data.
    """
    function = _function(solution, language, name)
    calls, left = list[tuple[int, list[str], str]](), list[int]()
    for place in places:
        try:
            calls.append((place, *_call(tests[place], function, language)))
        except Unwritable:
            left.append(place)
    return _candidate(solution, language), _MAKERS[language](function, calls, mark), left


def _function(solution: str, language: str, name: str) -> Function:
    if language == "typescript" and (construct := needs_compiler(solution)):
        raise NotCallable(f"{construct} needs a compiler")
    if language in _UNTYPED:
        return Function(name, "", ())
    if language == "java":
        match = re.search(rf"({_JAVA_TYPE})\s+{re.escape(name)}\s*\(([^)]*)\)", solution)
        if match is None:
            raise NotCallable("no such method")
        parts = [part.strip() for part in split_at_commas(match[2]) if part.strip()]
        split = [re.fullmatch(rf"(?:final\s+)?({_JAVA_TYPE})\s+(\w+)", part) for part in parts]
        if not all(split):
            raise NotCallable("a parameter of no plain type")
        return Function(name, match[1], tuple((one[2], one[1]) for one in split if one))
    found = next((one for one in functions_of(solution, language) if one.name == name), None)
    if found is None or not found.returns or found.returns.startswith("("):
        raise NotCallable("no function of one result and plain types")
    return found


def _call(test: Row, function: Function, language: str) -> tuple[list[str], str]:
    """Arguments and expected value, as expressions."""
    if "arguments" not in test:
        raise Unwritable("an assertion")
    given, kinds = test["arguments"], [kind for _, kind in function.parameters]
    if language not in _UNTYPED and len(given) != len(kinds):
        raise Unwritable("another number of arguments")
    if language in _UNTYPED:
        return [literal(one, "", language) for one in given], literal(test["expected"], "", language)
    arguments = [literal(one, kind, language) for one, kind in zip(given, kinds, strict=True)]
    return arguments, literal(test["expected"], function.returns, language)


def _candidate(solution: str, language: str) -> str:
    if language != "java" or re.search(r"\bclass\s+Solution\b", solution):
        return solution
    imports = re.findall(r"^\s*import [^;]+;", solution, re.MULTILINE)
    body = re.sub(r"^\s*(?:package|import) [^;]+;", "", solution, flags=re.MULTILINE)
    return "\n".join(["import java.util.*;", "import java.util.function.*;", "import java.util.stream.*;", *imports,
                      f"class Solution {{\n{body}\n}}"])  # fmt: skip


Calls = list[tuple[int, list[str], str]]


def _javascript(f: Function, calls: Calls, mark: str) -> str:
    lines = [f"wavecoderRun({place}, () => wavecoderSame({f.name}({', '.join(given)}), {expected}));"
             for place, given, expected in calls]  # fmt: skip
    return f"""
function wavecoderSame(a, b) {{
  if (typeof a === 'number' && typeof b === 'number')
    return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b || (a === undefined && b === null);
  if (Array.isArray(b)) return Array.isArray(a) && a.length === b.length && b.every((x, i) => wavecoderSame(a[i], x));
  if (Array.isArray(a)) return false;
  const names = Object.keys(b);
  return Object.keys(a).length === names.length && names.every(x => x in a && wavecoderSame(a[x], b[x]));
}}
function wavecoderRun(place, test) {{
  let letter = 'E';
  try {{ letter = test() ? (test() ? 'P' : 'V') : 'F'; }} catch (error) {{}}
  require('fs').writeSync(1, '\\n{mark} ' + place + ' ' + letter + '\\n');
}}
{chr(10).join(lines)}
"""  # noqa: E501 - a program


def _cpp(f: Function, calls: Calls, mark: str) -> str:
    blocks = []
    for place, given, expected in calls:
        named = "".join(f"auto a{n} = {value}; " for n, value in enumerate(given))
        names = ", ".join(f"a{n}" for n in range(len(given)))
        blocks.append(f"run({place}, [&]() -> bool {{ {named}return same({f.name}({names}), {expected}); }});")
    return f"""
#include <bits/stdc++.h>
using namespace std;
template <class A, class B> bool same(const A& a, const B& b) {{
    if constexpr (is_floating_point_v<A> || is_floating_point_v<B>) return a == b || fabs(a - b) <= 1e-6 * max(fabs(a), fabs(b));
    else return a == b;
}}
template <class T> bool same(const vector<T>& a, const vector<T>& b) {{
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); i++) if (!same(T(a[i]), T(b[i]))) return false;
    return true;
}}
template <class T> void run(int place, T test) {{
    const char* letter = "E";
    try {{ letter = test() ? (test() ? "P" : "V") : "F"; }} catch (...) {{}}
    printf("\\n{mark} %d %s\\n", place, letter); fflush(stdout);
}}
int main() {{
{chr(10).join(blocks)}
}}
"""  # noqa: E501 - a program


def _go(f: Function, calls: Calls, mark: str) -> str:
    lines = [f"wcRun({place}, func() bool {{ return wcSame(reflect.ValueOf({f.name}({', '.join(given)})), "
             f"reflect.ValueOf({expected})) }})" for place, given, expected in calls]  # fmt: skip
    return f"""
package main
import ("fmt"; "math"; "os"; "reflect"; "testing")
func wcSame(a, b reflect.Value) bool {{
    if a.Kind() != b.Kind() {{ return false }}
    switch b.Kind() {{
    case reflect.Slice, reflect.Array:
        if a.Len() != b.Len() {{ return false }}
        for i := 0; i < b.Len(); i++ {{ if !wcSame(a.Index(i), b.Index(i)) {{ return false }} }}
        return true
    case reflect.Map:
        if a.Len() != b.Len() {{ return false }}
        for _, key := range b.MapKeys() {{ if x := a.MapIndex(key); !x.IsValid() || !wcSame(x, b.MapIndex(key)) {{ return false }} }}
        return true
    case reflect.Float32, reflect.Float64:
        x, y := a.Float(), b.Float()
        return x == y || math.Abs(x-y) <= 1e-6*math.Max(math.Abs(x), math.Abs(y))
    }}
    return reflect.DeepEqual(a.Interface(), b.Interface())
}}
func wcRun(place int, test func() bool) {{
    letter := "E"
    defer func() {{ recover(); fmt.Fprintf(os.Stdout, "\\n{mark} %d %s\\n", place, letter) }}()
    if !test() {{ letter = "F" }} else if test() {{ letter = "P" }} else {{ letter = "V" }}
}}
func TestProof(t *testing.T) {{
{chr(10).join(lines)}
}}
"""  # noqa: E501 - a program


def _java(f: Function, calls: Calls, mark: str) -> str:
    lines = [f"run({place}, () -> same(new Solution().{f.name}({', '.join(given)}), {expected}));"
             for place, given, expected in calls]  # fmt: skip
    return f"""
public class Main {{
    interface Test {{ boolean holds() throws Exception; }}
    @SuppressWarnings("unchecked")
    static <K, V> HashMap<K, V> map(Object... pairs) {{
        HashMap<K, V> made = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) made.put((K) pairs[i], (V) pairs[i + 1]);
        return made;
    }}
    static List<Object> items(Object x) {{
        List<Object> found = new ArrayList<>();
        for (int i = 0; i < java.lang.reflect.Array.getLength(x); i++) found.add(java.lang.reflect.Array.get(x, i));
        return found;
    }}
    static boolean same(Object a, Object b) {{
        if (a == null || b == null) return a == b;
        if (a.getClass().isArray() && b.getClass().isArray()) return same(items(a), items(b));
        if (a instanceof Number && b instanceof Number) {{
            double x = ((Number) a).doubleValue(), y = ((Number) b).doubleValue();
            if (a instanceof Double || a instanceof Float)
                return x == y || Math.abs(x - y) <= 1e-6 * Math.max(Math.abs(x), Math.abs(y));
            return ((Number) a).longValue() == ((Number) b).longValue();
        }}
        if (a instanceof List && b instanceof List) {{
            List<?> x = (List<?>) a, y = (List<?>) b;
            if (x.size() != y.size()) return false;
            for (int i = 0; i < x.size(); i++) if (!same(x.get(i), y.get(i))) return false;
            return true;
        }}
        return a.equals(b);
    }}
    static void run(int place, Test test) {{
        String letter = "E";
        try {{ letter = test.holds() ? (test.holds() ? "P" : "V") : "F"; }} catch (Exception error) {{ }}
        System.out.println("\\n{mark} " + place + " " + letter);
        System.out.flush();
    }}
    public static void main(String[] args) {{
{chr(10).join(lines)}
    }}
}}
"""


def _rust(f: Function, calls: Calls, mark: str) -> str:
    same = "x == y"
    if f.returns in {"f64", "f32"}:
        same = "x == y || (x - y).abs() <= 1e-6 * x.abs().max(y.abs())"
    elif f.returns in {"Vec<f64>", "Vec<f32>"}:
        same = "x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| x == y || (x - y).abs() <= 1e-6 * x.abs().max(y.abs()))"  # noqa: E501
    lines = [f"run({place}, || {{ let x = {f.name}({', '.join(given)}); let y = {expected}; {same} }});"
             for place, given, expected in calls]  # fmt: skip
    return f"""
#[cfg(test)]
mod proofs {{
    use super::*;
    use std::io::Write;
    fn run<F: Fn() -> bool + std::panic::UnwindSafe + std::panic::RefUnwindSafe>(place: i32, test: F) {{
        let found = std::panic::catch_unwind(|| if !test() {{ "F" }} else if test() {{ "P" }} else {{ "V" }});
        let _ = writeln!(std::io::stderr(), "\\n{mark} {{}} {{}}", place, found.unwrap_or("E"));
    }}
    #[test]
    fn proof() {{
{chr(10).join(lines)}
    }}
}}
"""


_MAKERS = {"javascript": _javascript, "typescript": _javascript, "cpp": _cpp, "go": _go, "java": _java, "rust": _rust}
