"""Tests and further solutions in the rounds: what is asked when, what the judge sees, and what a kill costs."""

import asyncio
import json

import pytest
from pyarrow import fs as pafs
from pydantic import ValidationError

from codeocean.generate.ask import generate_one, judge_any
from codeocean.generate.ask_tests import ask_solution, ask_tests
from codeocean.generate.few_shot import draw_number
from codeocean.generate.ledger import Usage
from codeocean.generate.round_state import RoundBook
from codeocean.generate.round_store import Rounds
from codeocean.generate.scheduler import GENERATE, JUDGE, answer_all
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from codeocean.generate.turns import PROVE, SOLVE, TEST, role_of
from codeocean.verify.proof import run_proof
from tests.codeocean.conftest import raw_row
from tests.codeocean.scripted import USED, Killed

ROLE = RoleConfig(model="m")
CONFIG = GenerateConfig(generator=ROLE, discriminator=ROLE, round_size=2, tasks={"generation": 1, "repair": 1},
                        solutions=3, tests=2, mutants=2, good_shots=1, bad_shots=0, attempts=2, seed=1)  # fmt: skip
ROWS = [raw_row(number) for number in range(4)]
TASKS = load_tasks()
RAW = {row["id"]: row for row in ROWS}


class Teacher:
    """Writes an exercise about doubling, two right solutions in three, tests, and verdicts, all by the seed."""

    def __init__(self, dies_at: int = 10**9) -> None:
        self.asked, self.dies_at = [], dies_at

    async def __call__(self, request):
        self.asked.append(json.dumps([request.messages, request.seed]))
        if len(self.asked) >= self.dies_at:
            raise Killed
        await asyncio.sleep(0)
        return USED | {
            "text": json.dumps(self.answer(request.schema["properties"], request.seed)),
            "finish_reason": "stop",
            "error": "",
        }

    def answer(self, fields: dict, seed: int) -> dict:
        good = draw_number(seed) % 3 > 0
        if "tests" in fields:
            return {"tests": [{"arguments": [2], "expected": 4}, {"arguments": [0], "expected": 0}]}
        if "overall" in fields:
            answer = {"reason": f"Reason number {seed} of this rule.", "answer": "yes" if good else "no"}
            return dict.fromkeys(fields, answer) | {"overall": answer["answer"]}
        code = f"def twice(x):\n    y = {seed}\n    return {'x * 2' if good else 'x + 1'}"
        exercise = {
            "task_name": "x",
            "instruction": f"Write twice(x), which doubles x, case {seed}.",
            "information": "",
        }
        return {name: value for name, value in (exercise | {"solution": code.split("\n")}).items() if name in fields}


def fake_sandbox(solutions, tests, **_):
    """What the sandbox would say of `Teacher`'s solutions."""
    outcomes = ["PP" if "x * 2" in code else "FF" for code in solutions]
    chosen = [number for number, row in enumerate(outcomes) if row == "PP"]
    return {
        "outcomes": outcomes,
        "errors": [[]] * 3,
        "chosen": chosen,
        "kills": [1, 0],
        "by_value": True,
        "ended": "passed",
    }


def run(folder, teacher: Teacher, config: GenerateConfig = CONFIG) -> tuple[RoundBook, list[str]]:
    tasks, roles = TASKS, []
    book = RoundBook(config, tasks, ROWS, Rounds(pafs.LocalFileSystem(), str(folder), RAW))

    async def reply(question):
        job, turn = book.job(question), question.turn
        roles.append(role_of(turn, config))
        if turn == GENERATE:
            return await generate_one(job, book.task_of(question), config, teacher, "m")
        if turn == JUDGE:
            return await judge_any(job, book.task_of(question), config, teacher, "m")
        if turn == TEST:
            return await ask_tests(job, config, teacher, "m")
        if turn == PROVE:
            return {"rows": [run_proof(job, fake_sandbox)], "used": Usage().as_json(), "open": False}
        return await ask_solution(job, config, turn - SOLVE + 1, teacher, "m")

    async def life():
        async def answer(question):
            return await book.keep(question, await reply(question))

        await answer_all(await book.begin(), answer, lambda _: "all", {"all": 3})

    asyncio.run(life())
    return book, roles


def files(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    teacher = Teacher()
    book, roles = run(folder, teacher)
    return folder, teacher, book, roles


def test_the_judge_sees_what_the_tests_agree_on_and_the_last_row_is_what_it_accepted(whole):
    folder, _, book, _ = whole
    rounds = Rounds(pafs.LocalFileSystem(), str(folder), RAW)
    result, ledger = rounds.total(range(2))
    proofs = rounds.proofs(range(2))
    generated = [row for row, _ in result.accepted if row["task"] == "generation"]
    agreed = [row for row in generated if json.loads(proofs[row["raw_id"]]["found"])["chosen"]]
    assert any(row["seed"] != draw_number(CONFIG.seed, "generate", row["raw_id"], row["attempt"]) for row in agreed)
    assert all("x * 2" in row["solution"] for row in agreed)
    assert {proof["solutions"] for raw_id, proof in proofs.items() if raw_id in {r["raw_id"] for r in generated}} == {3}
    assert len(proofs) == len(ROWS)  # a repair has tests too, which are run later
    assert (book.tally.accepted, book.tally.ended) == (len(result.accepted), len(ROWS))
    assert ledger.whole().accepted == len(result.accepted)
    assert sum(used.questions for used in ledger.whole().used.values()) == len(whole[1].asked)


def test_a_tester_and_solvers_see_no_solution(whole):
    for asked in whole[1].asked:
        messages, _ = json.loads(asked)
        if "tests for a function" in messages[0]["content"] or "You solve" in messages[0]["content"]:
            assert "x * 2" not in asked and "x + 1" not in asked
            assert "def twice(x)" in asked or "def add_" in asked


def test_cut_off_at_every_answer_it_ends_the_same(whole, tmp_path):
    folder, teacher, _, _ = whole
    for dies_at in range(1, len(teacher.asked) + 1):
        place = tmp_path / str(dies_at)
        first, second = Teacher(dies_at), Teacher()
        with pytest.raises(Killed):
            run(place, first)
        run(place, second)
        assert files(place) == files(folder), dies_at
        assert len(first.asked) + len(second.asked) - len(teacher.asked) <= 3 * 2 * 3


def test_a_finished_run_asks_nothing_and_knows_what_was_accepted(whole):
    teacher = Teacher()
    book, _ = run(whole[0], teacher)
    assert teacher.asked == []
    assert book.tally.accepted == whole[2].tally.accepted


def test_a_tester_of_its_own_has_its_own_account(tmp_path):
    config = CONFIG.model_copy(update={"tester": RoleConfig(model="t")})
    book, roles = run(tmp_path, Teacher(), config)
    assert set(roles) == {"generator", "discriminator", "tester", "sandbox"}
    assert book.tally.used["tester"].questions == roles.count("tester")
    ledger = Rounds(pafs.LocalFileSystem(), str(tmp_path), RAW).total(range(2))[1]
    assert ledger.whole().used["tester"].questions == roles.count("tester")


def test_more_solutions_need_tests_and_older_records_mean_none():
    with pytest.raises(ValidationError, match=r"generate\.tests"):
        GenerateConfig(generator=ROLE, discriminator=ROLE, solutions=2)
    with pytest.raises(ValidationError, match=r"generate\.tests"):
        GenerateConfig(generator=ROLE, discriminator=ROLE, round_trip=True)
    old = GenerateConfig(generator=ROLE, discriminator=ROLE).model_dump(mode="json")
    old = {
        name: value
        for name, value in old.items()
        if name not in {"solutions", "tests", "mutants", "tester", "round_trip"}
    }
    assert GenerateConfig.from_record(old).identity() == GenerateConfig(generator=ROLE, discriminator=ROLE).identity()


class Teller(Teacher):
    """Summarizes, and writes code from summaries."""

    def answer(self, fields: dict, seed: int) -> dict:
        if "instruction" not in fields:
            return super().answer(fields, seed)
        summary = f"It adds the two numbers that it is given and then a third, which is always {seed}."
        written = {"task_name": "x", "instruction": f"Explain this function, case {seed}.", "solution": summary}
        return {name: value for name, value in written.items() if name in fields}


def test_a_round_trip_shows_the_solver_the_summary_alone_and_outlives_kills(tmp_path):
    config = CONFIG.model_copy(update={"tasks": {"summarization": 1}, "round_trip": True, "attempts": 1})
    teacher = Teller()
    _, roles = run(tmp_path / "whole", teacher, config)
    asked = [messages for messages, _ in map(json.loads, teacher.asked) if "You solve" in messages[0]["content"]]
    assert len(asked) == len(ROWS) == roles.count("sandbox")
    for messages in asked:
        shown = json.dumps(messages)
        assert "which is always" in shown
        assert not any(word in shown for word in ("a + b", "Add two numbers", "Explain this"))
    proofs = Rounds(pafs.LocalFileSystem(), str(tmp_path / "whole"), RAW).proofs(range(2))
    assert all(json.loads(proof["found"])["retold"].startswith("def twice") for proof in proofs.values())
    for dies_at in range(1, len(teacher.asked), 3):
        place = tmp_path / str(dies_at)
        with pytest.raises(Killed):
            run(place, Teller(dies_at), config)
        run(place, Teller(), config)
        assert files(place) == files(tmp_path / "whole"), dies_at
