"""C++'s own classes, pointers, namespaces: as in one plain program. What is wrong does not pass."""

import re

import pytest

from eval.sandbox.cpp import stubs
from eval.sandbox.cpp.crossing import crossing
from eval.sandbox.cpp.declared import declared
from eval.sandbox.cpp.spelled import spelled
from tests.eval.sandbox.cpp_forms import FORMS
from tests.eval.sandbox.cpp_forms import TEMPLATES as TYPED
from tests.eval.sandbox.cpp_object_forms import FORMS as OBJECT_FORMS
from tests.eval.sandbox.test_stubs import outcome

HEAD = "#include <bits/stdc++.h>\nusing namespace std;\n"


def program_of(*checks):
    """All checks in one program: each would be two compilations."""
    blocks = "\n".join(f"{{ {check} }}" for check in checks)
    return f"#undef NDEBUG\n#include <assert.h>\n{HEAD}int main() {{\n{blocks}\n}}\n"


def test_what_a_candidate_declares_passes_as_in_one_program():
    done = outcome("cpp", HEAD + "\n".join(made for made, _ in FORMS.values()), program_of(*(use for _, use in FORMS.values())))  # fmt: skip
    assert done.passed, done


def object_program(uses):
    """Each block's first assertion that does not hold ends it; the program prints how many ended so."""
    blocks = "\n".join(f"try {{ {use} }} catch (const char*) {{ ++fails; }}" for use in uses)
    assertion = "#undef assert\n#define assert(...) if (!(__VA_ARGS__)) throw #__VA_ARGS__\n"
    return f"{HEAD}{assertion}int main() {{\nint fails = 0;\n{blocks}\ncout << fails << endl;\n}}\n"


@pytest.mark.parametrize(("is_wrong", "fails"), [(False, 0), (True, len(OBJECT_FORMS))])
def test_objects_that_stay_with_the_candidate_are_as_in_one_program(is_wrong, fails):
    made = [made.replace(*change) if is_wrong else made for made, change, _ in OBJECT_FORMS.values()]
    done = outcome("cpp", HEAD + "\n".join(made), object_program(use for _, _, use in OBJECT_FORMS.values()))
    assert done.passed and done.stdout == f"{fails}\n", done


TEMPLATES = """template <typename F> int apply_twice(F f, int x) { return f(f(x)); }
template <class It, class T> It my_find(It b, It e, const T& x) { while (b != e && !(*b == x)) ++b; return b; }
auto joined = [](const vector<string>& v, const string& mark) { string s; for (auto& x : v) s += x + mark; return s; };
"""


def test_templates_that_take_lambdas_and_iterators_and_lambdas_in_variables_cross():
    checks = [
        'assert(apply_twice([](int x) { return x + 3; }, 1) == 7); assert(joined({"a", "b"}, "-") == "a-b-");',
        "vector<int> v = {3, 1, 2}; assert(my_find(v.begin(), v.end(), 1) == v.begin() + 1);",
        "vector<int> v = {3}; assert(my_find(v.begin(), v.end(), 9) == v.end());",
        "list<int> l = {5}; assert(my_find(l.begin(), l.end(), 4) == l.end());",
        "int a[] = {1, 3}; assert(*my_find(a, a + 2, 3) == 3);",
    ]
    done = outcome("cpp", HEAD + TEMPLATES, program_of(*checks))
    assert done.passed, done


@pytest.mark.parametrize("is_wrong", [False, True])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (n > 0)) for n, name in enumerate(TYPED)]
)
def test_what_the_compiler_tells_of_templates_and_arrays(name, is_wrong):
    made, change, use = TYPED[name]
    assert change[0] in made
    done = outcome("cpp", HEAD + (made.replace(*change) if is_wrong else made), program_of(use))
    assert done.outcome == ("failed" if is_wrong else "passed"), done


def test_what_tests_write_gets_a_name_of_its_own():
    made = "template <class T> T f(T x) { return x; }\nstruct C { static int n; static const int M = 3; };\nint C::n = 0;\n"
    candidate, tests, entry_point = spelled(made, "g(f<vector<int>>({1}), a < b, C::n + C::M, x.f<int>(1));", "f")
    assert tests == "g(f_given_0({1}), a < b, C::n_field() + C::M, x.f<int>(1));" and entry_point == "f_given_0"
    assert "#define f_given_0 f<vector<int>>" in candidate and "static int& n_field() { return n; }" in candidate
    assert spelled(made, "f(1) + f<int>(2);", "f")[2] == "f" and spelled(made, "f(1);", "f") == (made, "f(1);", "f")


def test_containers_that_a_candidates_class_orders_do_not_cross():
    """Their order would be asked for while a message is read."""
    text = "struct P { int x; bool operator<(const P& o) const { return x < o.x; } };\nset<P> f() { return {{1}}; }\nint g(map<P*, int> m) { return m.size(); }"
    made = crossing(text, "auto s = f(); P p; g({{&p, 1}});", None)
    assert {member.name for _, member in made.members} >= {"g"} and "f" not in made.names


WRONG = {
    "an equality that says yes": ("struct P { int x; bool operator==(const P&) const { return true; } };\nP f() { return {1}; }", "f() == (P{2})"),
    "an inequality that says yes": ("struct P { int x; };\nbool operator==(const P&, const P&) { return true; }\nbool operator!=(const P&, const P&) { return true; }\nP f() { return {1}; }", "f() != (P{1})"),
    "a list's node that is another's": ("struct N { int v; N* next; };\nN* f(N* n) { return new N{n->v, n->next}; }", "[] { N n{1, nullptr}; return f(&n) == &n; }()"),
    "a field that is another": ("struct P { int x; };\nP f() { return {1}; }", "[] { P p = f(); return p.x == 2; }()"),
    "an array that is not changed": ("void f(int* a, int n) { }", "[] { int a[] = {1, 2}; f(a, 2); return a[1] == 4; }()"),
}  # fmt: skip


def test_what_is_wrong_does_not_pass():
    """Each in a namespace of its own; the program tells how many hold."""
    made = "\n".join(f"namespace n{n} {{ {text} }}" for n, (text, _) in enumerate(WRONG.values()))
    asked = [f"{{ using namespace n{n}; held += {check}; }}" for n, (_, check) in enumerate(WRONG.values())]
    done = outcome("cpp", HEAD + made, program_of(f"int held = 0; {' '.join(asked)} assert(held == 0);"))
    assert done.passed, done


UNASKED = {
    "a type that is made of what is expected": ("struct P { int x = 0; P(int) {} };\nbool operator==(const P&, const P&) { return true; }\nP f() { return P(1); }", "assert(f() == 5);"),
    "a type that braces make": ("struct P { P(int, int) {} };\nbool operator==(const P&, const P&) { return true; }\nP f() { return P(1, 2); }", "auto same = [](auto a, decltype(a) b) { return a == b; }; assert(same(f(), {3, 4}));"),
    "a difference that is nothing": ("struct P { int x; };\ndouble operator-(const P&, int) { return 0; }\nP f() { return {1}; }", "assert(abs(f() - 5) < 1e-6);"),
    "an order against numbers": ("struct P { int x; operator double() const { return 0; } };\nP operator-(const P& p, int) { return p; }\nbool operator<(const P&, double) { return true; }\nP f() { return {1}; }", "assert((f() - 5) < 1e-6);"),
    "an object that has everything": ("struct P { int size() const { return 2; } bool contains(int) const { return true; } int count(int) const { return 1; } };\nP f() { return {}; }", "auto r = f(); assert(r.count(5) == 1);"),
}  # fmt: skip


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("name", UNASKED)
def test_no_object_is_asked_what_it_is_worth(name, stays):
    """The tests' program has no such operator, no constructor that converts, and no such method."""
    text, check = UNASKED[name]
    made = crossing(text.replace("{", "{ virtual ~P() {}", 1) if stays else text, check, None)
    assert made.far == ({"P"} if stays else set())
    assert {member.name for _, member in made.members} <= {"", "f", "operator==", "operator-"}
    assert all("double" not in f"{member.returns} {member.kinds}" for _, member in made.members)
    constructors = re.findall(r"(\w+)\s+P\(int", stubs.declarations(made))
    assert set(constructors) <= {"explicit"} and "struct P" in stubs.declarations(made)


def test_a_type_of_what_is_expected_does_not_pass():
    made, check = UNASKED["a type that is made of what is expected"]
    assert outcome("cpp", HEAD + made, program_of(check)).outcome == "signature"


def test_what_a_text_declares():
    found = declared(
        "namespace a { struct P { int x = 3, *y; P(int n = 2); virtual int f() const; }; }\nenum E : char { U, V = 4 };\n"
    )
    assert [(each.path, each.is_whole) for each in found.types] == [("a::P", False), ("E", True)]
    assert [(field.kind, field.name, field.initial) for field in found.types[0].fields()] == [("int", "x", "3"), ("int*", "y", "")]  # fmt: skip
