"""What follows from the raw code is given, the same for the same seed, and never asked of the generator."""

from codeocean.generate.bugs import list_bugs
from codeocean.generate.task_inputs import given_fields
from tests.codeocean.conftest import raw_row


def test_a_repair_is_given_both_codes_and_the_seed_decides_the_bug(tasks):
    raw, task = raw_row(), tasks["repair"]
    given = given_fields(task, raw, 0)
    assert given["solution"] == raw["code"]
    assert given["information"] in {bug.code for bug in list_bugs(raw["code"], "python")}
    assert given == given_fields(task, raw, 0)
    assert len({given_fields(task, raw, seed)["information"] for seed in range(30)}) > 1
    assert len({given_fields(task, raw | {"id": str(n)}, 0)["information"] for n in range(30)}) > 1


def test_summaries_and_translations_are_given_the_raw_code_and_generations_nothing(tasks):
    raw = raw_row()
    assert given_fields(tasks["summarization"], raw, 0) == given_fields(tasks["translation"], raw, 0)
    assert given_fields(tasks["summarization"], raw, 0) == {"information": raw["code"]}
    assert given_fields(tasks["generation"], raw, 0) == {}


def test_what_is_given_is_what_the_generator_does_not_write(tasks):
    fields = {"task_name", "instruction", "information", "solution"}
    for task in tasks.values():
        assert set(given_fields(task, raw_row(), 0)) == fields - set(task.written)


def test_code_that_offers_no_bug_gives_nothing_to_a_repair(tasks):
    assert given_fields(tasks["repair"], raw_row() | {"code": "def f(self):\n    self.go()"}, 0) is None
    assert given_fields(tasks["repair"], raw_row() | {"language": "cobol"}, 0) is None
