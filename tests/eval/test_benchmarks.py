"""The benchmarks' own solutions pass, wrong ones fail, and a file that is something else is refused in one line."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from eval.answers.assemble import candidate_of_code, candidate_of_continuation
from eval.benchmarks.catalogue import known_benchmarks, load_benchmarks, resolve_names
from eval.benchmarks.humanevalpack import read_problem
from eval.benchmarks.plus_inputs import typed_inputs
from eval.benchmarks.plus_tests import differential_tests, without_numpy
from eval.problems import with_description
from eval.sandbox.toolchains import missing_toolchains

DATA = Path(__file__).parents[1] / "data" / "benchmarks"
SHARED = Path(__file__).parents[3] / "shared" / "data"


def passing(problems, verdict_of, candidate_of):
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda problem: verdict_of(candidate_of(problem), problem), problems))
    return [problem.task_id for problem, outcome in zip(problems, outcomes, strict=True) if outcome == "passed"]


def canonical(problem):
    return candidate_of_continuation(problem, problem.reference)


def whole(problem):
    return candidate_of_code(problem, problem.declaration + problem.reference)


@pytest.mark.slow
def test_all_canonical_solutions_of_humaneval_pass(verdict_of):
    problems = load_benchmarks(["humaneval"], None)[0].problems
    assert len(passing(problems, verdict_of, canonical)) == len(problems) == 164


def test_a_body_that_does_nothing_fails(verdict_of):
    problems = load_benchmarks(["humaneval"], None, limit=8)[0].problems
    assert passing(problems, verdict_of, lambda problem: candidate_of_code(problem, "    return None")) == []


def test_helpers_of_the_prompt_keep_their_meaning(verdict_of):
    """HumanEval/32 asks `poly`, which its prompt defines, whether a root is one: a candidate's own `poly` is not asked."""
    (problem,) = (one for one in load_benchmarks(["humaneval"], None)[0].problems if one.task_id == "HumanEval/32")
    assert verdict_of("def poly(xs, x): return 0\n\ndef find_zero(xs): return 0\n", problem) == "failed"


HELPED = {
    "javascript": ("const twice = (x) => {\n  return 2 * x\n}\n\nconst half = (x) => {\n", "  return x / 2\n}\n",
                   "console.assert(twice(half(4)) === 4)",
                   "const twice = (x) => 4\nconst half = (x) => 7"),
    "cpp": ("#include<vector>\nusing namespace std;\nint twice(int x){\n  return 2 * x;\n}\n\nint half(int x){\n", "  return x / 2;\n}\n",
            "#undef NDEBUG\n#include<assert.h>\nint main(){\n  assert (twice(half(4)) == 4);\n}\n",
            "int twice(int x){ return 4; }\nint half(int x){ return 7; }"),
    "rust": ("fn main(){\n}\nuse std::cmp::max;\n\npub fn twice(x: i32) -> i32 {\n  2 * max(x, x)\n}\n\npub fn half(x: i32) -> i32 {\n", "  x / 2\n}\n",
             "#[cfg(test)]\nmod tests {\n    use super::*;\n#[test]\n    fn t() { assert_eq!(twice(half(4)), 4); }\n}\n",
             "fn twice(x: i32) -> i32 { 4 }\nfn half(x: i32) -> i32 { 7 }"),
    "go": ("import (\n    \"math\"\n)\n\nfunc twice(x int) int {\n    return 2 * int(math.Abs(float64(x)))\n}\n\nfunc half(x int) int {\n", "    return x / 2\n}\n",
           "func TestHalf(t *testing.T) {\n    assert := assert.New(t)\n    assert.Equal(4, twice(half(4)))\n}\n",
           "func twice(x int) int { return 4 }\nfunc half(x int) int { return 7 }"),
    "java": ("import java.util.*;\n\nclass Solution {\n    public int twice(int x) {\n        return 2 * x;\n    }\n\n    public int half(int x) {\n", "        return x / 2;\n    }\n}",
             "public class Main {\n    public static void main(String[] args) {\n        Solution s = new Solution();\n        if (s.twice(s.half(4)) != 4) throw new AssertionError();\n    }\n}\n",
             "class Solution {\n    public int twice(int x) { return 4; }\n    public int half(int x) { return 7; }\n}"),
}  # fmt: skip
"""Declaration with a helper, solution, tests, and a cheat that gives the helper another meaning."""


@pytest.mark.parametrize("language", HELPED)
def test_helpers_of_the_prompt_keep_their_meaning_in_every_language(language, verdict_of):
    if missing := missing_toolchains([language]):
        pytest.skip(missing[language])
    declaration, solution, tests, cheat = HELPED[language]
    row = {"task_id": "X/0", "prompt": declaration, "declaration": declaration, "canonical_solution": solution, "test": tests,
           "entry_point": "half", "instruction": "Halve.", "import": "", "test_setup": 'import (\n"testing"\n"github.com/stretchr/testify/assert"\n)'}  # fmt: skip
    problem = read_problem(row, language, "synthesize")
    assert verdict_of(canonical(problem), problem) == "passed"
    assert verdict_of(candidate_of_code(problem, cheat), problem) == "failed"


def test_not_a_number_is_near_nothing(verdict_of):
    """As published, the tests of CPP/20 and four others, and of Java/32, take it for any number."""
    if missing := missing_toolchains(["cpp"]):
        pytest.skip(missing["cpp"])
    row = {"task_id": "CPP/30", "prompt": "double half(double x){\n", "declaration": "double half(double x){\n",
           "canonical_solution": "  return x / 2;\n}\n", "entry_point": "half", "instruction": "Halve.",
           "test": "#undef NDEBUG\n#include<assert.h>\nbool issame(double a, double b){\n    if (abs(a-b)>1e-4) return false;\n    return true;\n}\nint main(){ assert (issame(half(3), 1.5)); }\n"}  # fmt: skip
    problem = read_problem(row, "cpp", "synthesize")
    assert verdict_of(canonical(problem), problem) == "passed"
    assert verdict_of(candidate_of_code(problem, 'double half(double x){ return nan(""); }'), problem) == "failed"
    java = read_problem(row | {"test": "if (Math.abs(s.poly(coeffs, half(1))) > 1e-4) {"}, "java", "synthesize")
    assert java.tests == "if (!(Math.abs(s.poly(coeffs, half(1))) <= 1e-4)) {"


@pytest.mark.parametrize("name", ["mbpp", "mbpp-3shot", "humanevalfix-python", "humanevalfixdocs-python",
                                  "humanevalexplain-python", "humanevalsynthesize-python"])  # fmt: skip
def test_canonical_solutions_of_the_samples_pass(problems_of, verdict_of, name):
    problems = problems_of(name)
    for candidate_of in (canonical, whole):
        assert passing(problems, verdict_of, candidate_of) == [problem.task_id for problem in problems]


def test_buggy_solutions_fail(problems_of, verdict_of):
    rows = [json.loads(line) for line in (DATA / "humanevalpack" / "python.jsonl").read_text().splitlines()]
    for problem, row in zip(problems_of("humanevalfix-python"), rows, strict=True):
        outcome = verdict_of(candidate_of_continuation(problem, row["buggy_solution"]), problem, 1.0)
        assert outcome in {"failed", "timeout"}  # one of them never ends
        assert row["buggy_solution"].strip() in problem.instruction
        assert row["test"].strip() in problem.instruction


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not SHARED.is_dir(), reason="the full data sets are not beside the repository")
@pytest.mark.parametrize(("name", "number"), [("mbpp", 500), ("humanevalfix-python", 164)])
def test_canonical_solutions_all_over_the_full_data_sets_pass(verdict_of, name, number):
    datasets = {"mbpp": str(SHARED / "mbpp.jsonl"), "humanevalpack": str(SHARED / "humanevalpack")}
    problems = load_benchmarks([name], datasets)[0].problems
    assert len(problems) == number
    assert passing(problems[::16], verdict_of, whole) == [problem.task_id for problem in problems[::16]]


def test_mbpp_has_its_test_problems_alone_and_three_solved_ones(problems_of):
    problems = problems_of("mbpp")
    assert [problem.task_id for problem in problems] == ["11", "12", "367", "510"]  # neither 2 nor 511
    assert problems[0].entry_point == "remove_Occ"
    assert "\nthe function should pass the following test code:\nassert remove_Occ(" in problems[0].instruction
    assert "root = Node(1)" in problems[2].tests
    shots = problems_of("mbpp-3shot")[0].plain
    assert shots.count("[BEGIN]") == 4 and shots.count("[DONE]") == 3 and shots.endswith("[BEGIN]\n")
    assert "def similar_elements" in shots and "def remove_Occ" not in shots


def test_explain_describes_first_within_the_docstrings_length(problems_of):
    problem = problems_of("humanevalexplain-python")[0]
    assert f"at most {problem.describe.max_chars} characters" in problem.describe.question
    assert problem.reference.strip() in problem.describe.question
    line = max(problem.reference.splitlines(), key=len).strip()
    told = with_description(problem, f"It does this: {line} and " + "more " * 400)
    assert line not in told.instruction
    assert told.instruction.endswith("Write functional code in Python according to the description.")
    assert len(told.instruction) < problem.describe.max_chars + 80
    assert "{description}" not in told.instruction + told.plain


def test_every_language_has_its_names_and_tests(problems_of):
    names = {"python": "def check(", "javascript": "console.assert", "java": "class Main", "go": "testing.T",
             "cpp": "int main", "rust": "#[test]"}  # fmt: skip
    for language, mark in names.items():
        for task in ("fix", "fixdocs", "explain", "synthesize"):
            for problem in problems_of(f"humaneval{task}-{language}"):
                assert problem.language == language
                assert mark in problem.tests
                assert problem.entry_point in problem.tests
    go = problems_of("humanevalfix-go")[0].tests
    assert go.startswith("package main") and '"math"' not in go
    assert problems_of("humanevalfix-java")[2].entry_point == "countUpper"  # called closest_integer in its field


def test_names_stand_for_languages():
    assert resolve_names(["humanevalfix-js", "humaneval", "mbpp-3shot"]) == [
        ("humanevalfix", "javascript"), ("humaneval", "python"), ("mbpp-3shot", "python")]  # fmt: skip
    assert len(resolve_names(["humanevalexplain"])) == 6
    assert set(known_benchmarks()) >= {"humaneval", "humanevalplus", "mbpp", "mbpp-3shot", "mbppplus"}
    for wrong in ("humanevl", "humaneval-rust", "humanevalfix-cobol", ""):
        with pytest.raises(ValueError, match="there is no benchmark"):
            resolve_names([wrong])


def humaneval_rows(number=2):
    problems = load_benchmarks(["humaneval"], None, limit=number)[0].problems
    return [{"task_id": problem.task_id, "prompt": problem.declaration, "entry_point": problem.entry_point,
             "canonical_solution": problem.reference} for problem in problems]  # fmt: skip


def test_humanevalplus_from_inputs_compares_with_the_reference(tmp_path, verdict_of):
    row = humaneval_rows(1)[0] | {"base_input": [[[1.0, 2.0], 0.5]], "plus_input": [[[1.0, 1.2], 0.5]], "atol": 0}
    (tmp_path / "plus.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    problem = load_benchmarks(["humanevalplus"], str(tmp_path / "plus.jsonl.gz"))[0].problems[0]
    assert verdict_of(canonical(problem), problem) == "passed"
    assert verdict_of(candidate_of_code(problem, "    return False"), problem) == "failed"


def test_plus_tests_with_numpy_run_without_it(tmp_path, verdict_of):
    """The published form: results listed, floats compared by numpy."""
    tests = "import numpy as np\n\ndef check(candidate):\n    for x, y in zip([1, 2], [[0.1 + 0.2], [0.6]]):\n        out = candidate(x)\n        assert out == y or np.allclose(out, y, rtol=1e-07, atol=1e-06)\n"
    row = {
        "task_id": "HumanEval/0",
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "canonical_solution": "    return [0.3 * x]\n",
        "test": tests,
    }
    (tmp_path / "plus.json").write_text(json.dumps([row]))
    problem = load_benchmarks(["humanevalplus"], str(tmp_path / "plus.json"))[0].problems[0]
    assert verdict_of(canonical(problem), problem) == "passed"
    assert verdict_of(candidate_of_code(problem, "    return [0.31 * x]"), problem) == "failed"
    row = {"task_id": 2, "prompt": "Add.", "code": "def add(a, b):\n    return a + b", "test_list": ["assert add(1, 2) == 3"],
           "test_imports": [], "test": "import numpy as np\nassert np.isclose(add(0.1, 0.2), 0.3)"}  # fmt: skip
    (tmp_path / "mbpp.jsonl").write_text(json.dumps(row))
    problem = load_benchmarks(["mbppplus"], str(tmp_path / "mbpp.jsonl"))[0].problems[0]
    assert verdict_of(canonical(problem), problem) == "passed"


def test_the_stand_in_for_numpy_agrees_with_numpy():
    import numpy

    space: dict = {}
    exec(without_numpy("import numpy as np"), space)
    values = [0.0, 1.0, -1.0, 1 + 1e-8, 1 + 1e-5, 1e300, float("inf"), float("-inf"), float("nan")]
    for a in values:
        for b in values:
            for tolerance in (0.0, 1e-6):
                mine = space["np"].allclose([a, 1.0], [b, 1.0], rtol=1e-7, atol=tolerance)
                assert mine == numpy.allclose([a, 1.0], [b, 1.0], rtol=1e-7, atol=tolerance), (a, b, tolerance)


def test_the_differential_tests_know_findzeros_special_rule():
    row, inputs = {"entry_point": "find_zero", "atol": 1e-4}, [[[1, 2]]]
    reference = "def poly(xs, x):\n    return sum(c * x ** i for i, c in enumerate(xs))\n\ndef find_zero(xs):\n    return -0.5\n"
    tests = differential_tests(row, reference, inputs)
    exec("def find_zero(xs):\n    return -0.500001\n" + tests, {})
    with pytest.raises(AssertionError):
        exec("def find_zero(xs):\n    return -0.6\n" + tests, {})


def mbpp_plus(tmp_path, number, entry_point, solution, *inputs):
    """One row in the form of MbppPlus.jsonl, as a problem."""
    row = {"task_id": f"Mbpp/{number}", "entry_point": entry_point, "canonical_solution": f"\n{solution}", "atol": 0,
           "prompt": f'"""\nWrite it.\nassert {entry_point}(1) == 1\n"""\n', "base_input": list(inputs), "plus_input": []}  # fmt: skip
    (tmp_path / "MbppPlus.jsonl").write_text(json.dumps(row))
    return load_benchmarks(["mbppplus"], str(tmp_path / "MbppPlus.jsonl"))[0].problems[0]


def test_mbppplus_from_inputs_has_their_types_and_the_harness_rules(tmp_path, verdict_of):
    merge = "def merge(a, b):\n    return a + b"
    tuples = mbpp_plus(tmp_path, 2, "merge", merge, [[1, 2], [3]])
    assert verdict_of(canonical(tuples), tuples) == "passed"
    assert verdict_of("def merge(a, b):\n    return a + b if type(a) is tuple else None", tuples) == "passed"
    assert verdict_of("def merge(a, b):\n    return list(a + b)", tuples) == "failed"
    assert "assert merge(1) == 1" in tuples.instruction and '"""' not in tuples.instruction
    same_set = mbpp_plus(tmp_path, 249, "intersection_array", "def intersection_array(a, b):\n    return [x for x in a if x in b]", [[3, 1, 2], [1, 3]])  # fmt: skip
    assert verdict_of("def intersection_array(a, b):\n    return sorted(set(a) & set(b))", same_set) == "passed"
    assert verdict_of("def intersection_array(a, b):\n    return a", same_set) == "failed"
    floats = mbpp_plus(tmp_path, 300, "half", "def half(x):\n    return x / 2", [3.0], [float("inf")])
    assert verdict_of("def half(x):\n    return x * 0.5000000001", floats) == "passed"
    assert verdict_of("def half(x):\n    return round(x * 0.5)", floats) in {"failed", "exception"}


def test_mbppplus_types_are_those_of_the_harness():
    assert typed_inputs(124, [["1", "2j"]]) == [[1.0, 2j]]
    assert typed_inputs(580, [[[1, [2, [3]]]]]) == [[(1, (2, (3,)))]]
    assert typed_inputs(722, [[{"a": [1, 2]}, 3, 4]]) == [[{"a": (1, 2)}, 3, 4]]
    assert typed_inputs(63, [[[[1, 2]]]]) == [[[(1, 2)]]]
    assert typed_inputs(3, [[[1]]]) == [[[1]]]


def test_the_digest_is_of_the_problems_and_the_file(tmp_path):
    content = (DATA / "mbpp.jsonl").read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(content))
    plain = load_benchmarks(["mbpp"], str(DATA / "mbpp.jsonl"), limit=1)[0]
    packed = load_benchmarks(["mbpp"], str(tmp_path / "a.jsonl.gz"))[0]
    assert plain.digest == packed.digest
    assert plain.file_digest != packed.file_digest
    assert (len(plain.problems), len(plain.all_ids)) == (1, 4)
    (tmp_path / "b.jsonl").write_bytes(content.replace(b"assert remove_Occ", b"assert  remove_Occ"))
    assert load_benchmarks(["mbpp"], str(tmp_path / "b.jsonl"))[0].digest != plain.digest
    assert replace(plain.problems[0], tests="") != packed.problems[0]
