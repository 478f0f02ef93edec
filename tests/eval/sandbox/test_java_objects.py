"""Objects of Java: records, enums, functions, streams and classes of the candidate's own, as in one plain program."""

import pytest

from eval.sandbox.oracle import judge
from eval.sandbox.toolchains import missing_toolchains
from tests.eval.sandbox.java_forms import FORMS

IMPORTS = "import java.util.*;\nimport java.util.function.*;\nimport java.util.stream.*;\n"
PARTS = 3
"""Programs that the forms are dealt out to: a virtual machine for each form would take a minute."""


def outcome(members, lines, **options):
    if missing := missing_toolchains(["java"]):
        pytest.skip(missing["java"])
    checks = "\n".join(
        line if line.endswith((";", "}")) else f"if (!({line})) throw new AssertionError();" for line in lines
    )
    main = f"public class Main {{ public static void main(String[] arguments) {{ Solution s = new Solution();\n{checks}\n}} }}\n"  # fmt: skip
    candidate = f"{IMPORTS}class Solution {{\n{members}\n}}\n"
    return judge(candidate, IMPORTS + main, language="java", timeout=20.0, memory_mb=512, **options)


@pytest.mark.parametrize("part", range(PARTS))
def test_objects_pass_as_in_one_program(part):
    chosen = list(FORMS.values())[part::PARTS]
    lines = [line for _, checks in chosen for line in ("{;", *checks, "}")]
    done = outcome("\n".join(members for members, _ in chosen), lines)
    assert done.passed, done


WRONG = {
    "a record's other component": ("record P(int x, int y) { }\nP make(int n) { return new P(n, 0); }", "s.make(1).equals(new Solution.P(1, 1))"),
    "an enum's other constant": ("enum E { A, B }\nE pick() { return E.A; }", "s.pick() == Solution.E.B"),
    "an equality that says yes to data": ("Object make() { return new Object() { public boolean equals(Object o) { return true; } public int hashCode() { return 5; } }; }", "s.make().equals(5)"),
    "an equality that says yes to objects of its class": ("static class P { int x; P(int x) { this.x = x; } public boolean equals(Object o) { return true; } }\nP make() { return new P(1); }", "s.make().equals(new Solution.P(2))"),
    "a record's equality that says yes": ("record P(int x) { public boolean equals(Object o) { return true; } }\nP make() { return new P(1); }", "s.make().equals(new Solution.P(2))"),
    "an order that says equal to data": ("static class P implements Comparable<Object> { public int compareTo(Object o) { return 0; } }\nComparable<Object> make() { return new P(); }", "s.make().compareTo(5) == 0"),
    "an overload that takes data": ("static class Yes { public boolean equals(Integer n) { return true; } public boolean contains(int n) { return true; } }\nYes make() { return new Yes(); }", "s.make().equals((Integer) 5)"),
    "a look-alike of a list": ("static class Yes { boolean contains(int n) { return true; } int size() { return 1; } }\nYes make() { return new Yes(); }", "s.make().contains(5)"),
    "a list that equals everything": ("List<Integer> make() { return new ArrayList<>() { public boolean equals(Object o) { return true; } public boolean contains(Object o) { return true; } }; }", "s.make().equals(List.of(5)) || s.make().contains(5)"),
    "a sorted set whose order knows no difference": ("SortedSet<Integer> make() { TreeSet<Integer> t = new TreeSet<>((a, b) -> 0); t.add(1); return t; }", "s.make().contains(5) || s.make().equals(Set.of(5))"),
    "a sorted map whose order knows no difference": ("TreeMap<String, Integer> make() { TreeMap<String, Integer> t = new TreeMap<>((a, b) -> 0); t.put(\"a\", 5); return t; }", "s.make().get(\"k\") == 5"),
    "a name of the library's": ("static class Integer { public boolean equals(Object o) { return true; } }\nInteger make() { return new Integer(); }", "s.make().equals(5)"),
    "a comparator that is asked for a list's equality": ("static class Odd extends AbstractList<Integer> { public Integer get(int n) { return 1; } public int size() { return 1; } public boolean equals(Object o) { return true; } }\nOdd make() { return new Odd(); }", "s.make().equals(List.of(5))"),
    "text that equals everything": ("CharSequence make() { return new CharSequence() { public char charAt(int n) { return 'a'; } public int length() { return 1; } public CharSequence subSequence(int a, int b) { return this; } public boolean equals(Object o) { return true; } public String toString() { return \"a\"; } }; }", "s.make().equals(\"b\") || s.make().toString().equals(\"b\")"),
    "a thread that answers late": ("static class P { int x = 1; }\nP make() { P p = new P(); new Thread(() -> { while (true) p.x++; }) {{ setDaemon(true); }}.start(); return p; }", "s.make().x == 1 && s.make().x == 900"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_does_not_pass(name):
    members, check = WRONG[name]
    done = outcome(members, [check])
    assert done.outcome in {"failed", "signature", "exception"}, done


def test_tests_that_hold_for_everything_are_not_made_so_by_a_class_of_the_candidates():
    top = "}\nclass Integer { Integer(int x) { } public boolean equals(Object o) { return true; }\n"
    done = outcome(f"Integer make(int n) {{ return new Integer(n); }}\n{top}", ["Integer got = s.make(1);", "got.equals(5)"])  # fmt: skip
    assert done.outcome == "signature" and "cannot cross" in done.stderr, done


CANNOT = {
    "a class of the candidate's that is a list": ("static class Bag extends AbstractList<Integer> { public Integer get(int n) { return n; } public int size() { return 2; } }\nBag bag() { return new Bag(); }", "s.bag().size() == 2", "Solution.Bag extends java.util.AbstractList"),
    "a class of the tests' that extends the candidate's": ("static class Base { int one() { return 1; } }\nint of(Base b) { return b.one(); }", "s.of(new Solution.Base() { int one() { return 2; } }) == 2", "Base"),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_cross_is_told_by_name(name):
    members, check, told = CANNOT[name]
    done = outcome(members, [check])
    assert done.outcome == "signature" and told in done.stderr, done
