"""TypeScript loses its types and nothing else, and what a compiler would have to make is told."""

import pytest

from eval.sandbox.oracle import judge
from eval.sandbox.run import run_program
from eval.sandbox.toolchains import missing_toolchains
from eval.sandbox.typescript import needs_compiler, without_types

NODE = pytest.mark.skipif(bool(missing_toolchains(["typescript"])), reason="no node here")


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("const a: number = 1", "const a = 1"),
        ("let late!: string;", "let late ;"),
        ("function f<T>(a: T, b?: number): T[] { return [a]; }", "function f (a , b ) { return [a]; }"),
        ("const g = (x: string)\n  : string => x", "const g = (x ) => x"),
        ("const h = <T,>(x: T) => x as unknown as T", "const h = (x ) => x"),
        ("type A = { a: 1 }\ninterface B extends A { b?: A }", "; ;"),
        ("export type C = string | null", ";"),
        ("declare function outside(x: number): void;", ";"),
        ("function f(a: string): string;\nfunction f(a: any) { return a }", "; function f(a ) { return a }"),
        ("function f(this: Window, a: number) {}", "function f( a ) {}"),
        ("const m = new Map<string, number[]>(); m!.get('a')!", "const m = new Map (); m .get('a')"),
        ("import { type A, b } from './x'", "import { b } from './x'"),
        ("import type { A } from './x'", ";"),
        ("const o = { a: 1, b: x ? y : z } satisfies object", "const o = { a: 1, b: x ? y : z }"),
        ("abstract class K<T> extends L<T> implements M { private readonly n: T; abstract p(): void; }",
         "class K extends L { n ; ;; }"),
        ("for (const [k, v] of xs as [string, number][]) {}", "for (const [k, v] of xs ) {}"),
        ("const a = 'x: number' // as T", "const a = 'x: number' // as T"),
        ("const a = b < c, d = c > (e)", "const a = b < c, d = c > (e)"),
        ("try {} catch (error: unknown) {}", "try {} catch (error ) {}"),
    ],
)  # fmt: skip
def test_types_are_left_out(typed, plain):
    assert needs_compiler(typed) == ""
    assert without_types(typed).split() == plain.split()


def test_a_line_behind_a_type_stays_a_statement_of_its_own():
    assert without_types("const a = b as T\n(c)") == "const a = b;\n(c)"


@pytest.mark.parametrize(
    ("source", "construct"),
    [("import fs = require('fs')", "import = require")],
)  # fmt: skip
def test_what_needs_a_compiler_is_named(source, construct):
    assert needs_compiler(source) == construct


@NODE
def test_a_program_runs_and_a_function_is_judged():
    source = "interface P { x: number }\nconst p: P = { x: 4 };\nconsole.log(p.x as number)"
    assert run_program(source, language="typescript", timeout=10, memory_mb=512).stdout == "4\n"
    add = "export function add(a: number, b: number = 1): number { return a + b }"
    for tests, outcome in (("console.assert(add(2) === 3)", "passed"), ("console.assert(add(2) === 4)", "failed")):
        assert judge(add, tests, language="typescript", entry_point="add", timeout=10, memory_mb=512).outcome == outcome
