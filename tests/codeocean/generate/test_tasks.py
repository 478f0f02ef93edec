"""The task files that ship, and the mistakes in files that users write."""

import pytest
import yaml

from codeocean.generate.tasks import FOLDER, load_tasks, task_shares
from codeocean.grammars import GRAMMARS
from codeocean.syntax import has_syntax_error

PAPER_SHARES = {"generation": 0.571, "summarization": 0.158, "repair": 0.158, "translation": 0.112}


def test_the_papers_four_tasks_ship_with_its_shares(tasks):
    assert set(tasks) == set(PAPER_SHARES)
    shares = task_shares(tasks, None)
    assert shares == pytest.approx(PAPER_SHARES, abs=0.002)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_seed_cases_say_enough(tasks):
    for task in tasks.values():
        assert len(task.good) >= 2
        for case in task.bad:  # the authors' bad examples are one character long
            assert len(case.reasons) >= 20
            assert set(case.broken) <= {rule.name for rule in task.rules}
        for case in (*task.good, *task.bad):
            assert not has_syntax_error(case.code, case.language)


def test_solutions_of_good_cases_are_what_the_task_says(tasks):
    for task in tasks.values():
        for case in task.good:
            language = case.target_language or case.language
            if task.solution == "code" and language in GRAMMARS:
                assert not has_syntax_error(case.solution, language), case.instruction
            if task.information != "optional":
                assert case.information
            if task.information == "raw code":
                assert case.information == case.code
            if task.information == "mutated code":
                assert case.solution == case.code
                assert has_syntax_error(case.information, language) is False
                assert case.information != case.code


def a_fifth_task() -> dict:
    tree = yaml.safe_load((FOLDER / "summarization.yaml").read_text())
    return tree | {"name": "naming", "title": "code naming", "share": 0.2}


def test_a_fifth_task_is_a_file(tmp_path):
    (tmp_path / "naming.yaml").write_text(yaml.safe_dump(a_fifth_task()))
    tasks = load_tasks(str(tmp_path))
    assert list(tasks)[-1] == "naming"
    assert task_shares(tasks, {"naming": 3.0, "repair": 1.0}) == {"naming": 0.75, "repair": 0.25}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": []}, "rules"),
        ({"shares": 1}, "shares"),
        ({"share": "much"}, "share"),
        ({"bad": [{"language": "python", "code": "x", "instruction": "Do it.", "solution": "print()", "reasons": "X"}]},
         "reasons in a sentence"),
    ],
)  # fmt: skip
def test_mistakes_in_a_task_file_name_file_and_field(tmp_path, change, message):
    (tmp_path / "naming.yaml").write_text(yaml.safe_dump(a_fifth_task() | change))
    with pytest.raises(ValueError, match=message) as caught:
        load_tasks(str(tmp_path))
    assert "naming.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="generate.task_folder"):
        load_tasks(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("override", [{"naming": 1.0}, {"repair": 0.0}, {"repair": -1.0, "generation": 2.0}])
def test_shares_that_make_no_mix_are_refused(tasks, override):
    with pytest.raises(ValueError, match=r"generate\.tasks"):
        task_shares(tasks, override)
