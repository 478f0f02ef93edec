"""Tables of forms: right solutions pass and wrong ones do not, as in one plain program."""

import pytest

from tests.eval.sandbox import rust_forms
from tests.eval.sandbox.test_stubs import outcome


def rust_tests(*checks):
    cases = "\n".join(f"    #[test]\n    fn case_{n}() {{ {check} }}" for n, check in enumerate(checks))
    return f"#[cfg(test)]\nmod tests {{\n    use super::*;\n{cases}\n}}\n"


def rust_program(*made):
    """One program of several: each import once."""
    lines = [line for each in made for line in each.split("\n")]
    uses = dict.fromkeys(line for line in lines if line.startswith("use std"))
    return "\n".join([*uses, *(line for line in lines if line not in uses)])


TABLES = {"rust": (rust_forms.FORMS, rust_program, rust_tests)}
"""Language → forms, the program of some solutions, and that of some tests' lines."""


@pytest.mark.parametrize("language", TABLES)
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_right_solutions_pass(language, every):
    """In one program: a compilation of each would take minutes."""
    forms, program, tests = TABLES[language]
    made, _, checks = zip(*list(forms.values())[::every], strict=True)
    done = outcome(language, program(*made), tests(*checks))
    assert done.passed, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("language", "name"), [(each, name) for each, (forms, _, _) in TABLES.items() for name in forms])  # fmt: skip
def test_wrong_solutions_do_not(language, name):
    forms, program, tests = TABLES[language]
    made, (right, wrong), check = forms[name]
    done = outcome(language, program(made.replace(right, wrong)), tests(check))
    assert right in made and done.outcome in {"failed", "exception"}, done
