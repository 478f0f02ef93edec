"""Exercises with tests and further solutions through the jobs: a teacher over HTTP, a real sandbox, the data set."""

import json
import re

import pyarrow.parquet as pq
import pytest

from codeocean.generate.few_shot import draw_number
from ray_jobs import cli
from tests.ray_jobs.test_generate_job import prepare
from tests.scripted_teacher import ScriptedTeacher, completion

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def teacher(_number: int, body: dict) -> tuple:
    """Right and wrong ways to add, tests of which one is wrong, and verdicts that are always yes."""
    fields = body["response_format"]["json_schema"]["schema"]["properties"]
    seed = draw_number(body["seed"])
    if "overall" in fields:
        answer = {"reason": "It holds as far as can be seen.", "answer": "yes"}
        return completion(json.dumps(dict.fromkeys(fields, answer) | {"overall": "yes"}))
    if "tests" in fields:
        offset = int(re.search(r"add_(\d+)", body["messages"][-1]["content"])[1])
        tests = [{"arguments": [n, 2], "expected": n + 2 + offset} for n in (0, 5)]
        return completion(
            json.dumps({"tests": [*tests, {"arguments": [1, 1], "expected": -1}, {"assertion": "exit()"}]})
        )
    told = " ".join(message["content"] for message in body["messages"])
    name, offset = re.findall(r"(add_(\d+))", told)[-1]
    wrong = "+ 1" if seed % 3 == 0 else ""
    code = [f"def {name}(a, b):", f"    total = a + b{wrong}", f"    return total + {offset}  # {seed % 7}"]
    exercise = {"task_name": "Code generation", "information": "", "solution": code,
                "instruction": f"Write {name}(a, b), which adds {offset} to the sum of two numbers."}  # fmt: skip
    return completion(json.dumps({field: exercise[field] for field in fields}))


def test_instances_carry_tests_that_were_run_and_the_recipe_takes_what_is_proved(local_ray, tmp_path, capsys):
    scripted = ScriptedTeacher(teacher)
    with scripted.running() as url:
        scripted.url = f"{url}/v1"
        shares = {"generation": 1, "repair": 1}
        recipe = prepare(tmp_path, scripted, tasks=shares, solutions=3, tests=4, mutants=4, good_shots=1, bad_shots=0)
        overrides = ["--set", "codeocean.verify.execute=true", "--set", "codeocean.require={proof: [tests]}",
                     "--set", "codeocean.near_duplicates=null", "--set", "codeocean.quality=null"]  # fmt: skip
        assert cli.main(["generate", "--config", str(recipe)]) == 0
        asked = len(scripted.asked)
        assert cli.main(["codeocean", "--config", str(recipe), *overrides]) == 0
        assert len(scripted.asked) == asked
    rows = pq.read_table(tmp_path / "run" / "codeocean" / "part-00000.parquet").to_pylist()
    assert {row["task"] for row in rows} == {"generation", "repair"}
    for row in rows:
        assert (row["proof"], row["mutants_killed"] > 0) == ("tests", True)
        counted = 3 if row["task"] == "generation" else 2  # of a repair only tests that the raw code passes
        assert row["pass_rate"] == pytest.approx(2 / counted)
        assert "+ 1\n" not in row["output"]
        assert len(json.loads(row["tests"])) == counted
    manifest = json.loads((tmp_path / "run" / "codeocean" / "manifest.json").read_text())
    assert manifest["details"]["proof"]["refused"]["never calls the function"] > 0
    assert manifest["details"]["proof"]["tested"] == len(rows)
    card = (tmp_path / "run" / "codeocean" / "README.md").read_text()
    assert f"| tests | {len(rows)} |" in card
