"""Tables of forms: right solutions pass and wrong ones do not, as in one plain program."""

import pytest

from tests.eval.sandbox import go_forms, rust_forms, typescript_forms
from tests.eval.sandbox.test_stubs import outcome

FORMS = {"rust": rust_forms.FORMS, "go": go_forms.FORMS, "typescript": typescript_forms.FORMS}
QUICK = 8
"""Of so many forms one is always tried, in one program with the others; the rest are slow."""


def checks_of(language, checks):
    """The program of some tests' lines."""
    if language == "rust":
        cases = "\n".join(f"    #[test]\n    fn case_{n}() {{ {check} }}" for n, check in enumerate(checks))
        return f"#[cfg(test)]\nmod tests {{\n    use super::*;\n{cases}\n}}\n"
    if language == "go":
        cases = (
            f"func Test{n}(t *testing.T) {{\n\tassert := assert.New(t)\n\t{check}\n}}\n"
            for n, check in enumerate(checks)
        )
        return go_forms.BESIDE + "".join(cases)
    return "const assert = require('assert');\n" + "\n".join(checks)


def program_of(language, made):
    """One program of several: each import once."""
    if language == "go":
        head = 'package main\nimport (\n\t"errors"\n\t"fmt"\n)\nvar _ = errors.New\nvar _ = fmt.Sprint\n'
        return head + "\n".join(made)
    lines = [line for each in made for line in each.split("\n")]
    uses = dict.fromkeys(line for line in lines if line.startswith("use std"))
    return "\n".join([*uses, *(line for line in lines if line not in uses)])


def right(language, forms):
    made, _, checks = zip(*forms, strict=True)
    return outcome(language, program_of(language, made), checks_of(language, checks))


@pytest.mark.parametrize("language", ["rust", "go"])
@pytest.mark.parametrize("every", [QUICK, pytest.param(1, marks=pytest.mark.slow)])
def test_right_solutions_pass(language, every):
    """In one program: a compilation of each would take minutes."""
    done = right(language, list(FORMS[language].values())[::every])
    assert done.passed, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * bool(n % QUICK)) for n, name in enumerate(FORMS["typescript"])],
)
def test_right_solutions_of_typescript_pass(name):
    done = right("typescript", [FORMS["typescript"][name]])
    assert done.passed, done


@pytest.mark.slow
@pytest.mark.parametrize(("language", "name"), [(each, name) for each, forms in FORMS.items() for name in forms])
def test_wrong_solutions_do_not(language, name):
    made, (good, bad), check = FORMS[language][name]
    done = outcome(language, program_of(language, [made.replace(good, bad)]), checks_of(language, [check]))
    assert good in made and done.outcome in {"failed", "exception"}, done
