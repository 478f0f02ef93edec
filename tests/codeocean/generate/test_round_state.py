"""Whatever the order of the answers and wherever the work is cut off, the same files come out, and little is asked twice."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import fs as pafs

from codeocean.generate.ask import generate_one, judge_any
from codeocean.generate.round_state import RoundBook
from codeocean.generate.round_store import Rounds
from codeocean.generate.scheduler import JUDGE, answer_all
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from tests.codeocean.conftest import raw_row
from tests.codeocean.scripted import Killed, SeededChat

ROLE = RoleConfig(model="m")
CONFIG = GenerateConfig(
    generator=ROLE, discriminator=ROLE, round_size=3, tasks={"summarization": 1}, good_shots=2, bad_shots=1
)
ROWS = [raw_row(number) for number in range(11)]
RAW = {row["id"]: row for row in ROWS}
TASKS = load_tasks()
CONCURRENCY = 4


def run(folder: Path, chat: SeededChat, concurrency: int = CONCURRENCY, config: GenerateConfig = CONFIG) -> RoundBook:
    """One process's life."""
    book = RoundBook(config, TASKS, ROWS, Rounds(pafs.LocalFileSystem(), str(folder), RAW))

    async def life():
        async def answer(question):
            ask = judge_any if question.turn == JUDGE else generate_one
            return await book.keep(question, await ask(book.job(question), book.task_of(question), config, chat, "m"))

        await answer_all(await book.begin(), answer, lambda _: "all", {"all": concurrency})

    asyncio.run(life())
    return book


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    chat = SeededChat()
    book = run(folder, chat)
    return files(folder), chat, book, folder


def test_every_row_ends_once_and_nothing_else_is_left(whole):
    found, chat, book, folder = whole
    assert book.tally.ended == len(ROWS)
    assert book.tally.accepted > 0 and book.tally.num_rejected > 0
    assert len(found) == 2 * 4
    assert not list(folder.rglob(".*"))  # the journals are gone
    assert 1 < chat.most_in_flight <= CONCURRENCY
    result, ledger = Rounds(pafs.LocalFileSystem(), str(folder), RAW).total(range(4))
    assert sum(tally["generated"] for tally in result.tasks.values()) == len(ROWS)
    assert (len(result.accepted), ledger.whole().accepted) == (book.tally.accepted,) * 2
    assert ledger.whole().tokens == 110 * len(chat.asked)
    assert sum(used.questions for used in ledger.whole().used.values()) == len(chat.asked)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.integers(0, 1000), concurrency=st.integers(1, 40))
def test_the_order_of_the_answers_changes_nothing(whole, tmp_path_factory, order, concurrency):
    folder = tmp_path_factory.mktemp("order")
    chat = SeededChat(order)
    run(folder, chat, concurrency)
    assert files(folder) == whole[0]
    assert sorted(chat.asked) == sorted(whole[1].asked)


def test_cut_off_at_every_answer_it_ends_the_same_and_asks_at_most_what_was_in_flight_again(whole, tmp_path):
    total = len(whole[1].asked)
    for dies_at in range(1, total + 1):
        folder = tmp_path / str(dies_at)
        first, second = SeededChat(dies_at, dies_at=dies_at), SeededChat()
        with pytest.raises(Killed):
            run(folder, first)
        book = run(folder, second)
        assert files(folder) == whole[0], dies_at
        assert book.tally.ended == len(ROWS)
        assert set(first.asked) | set(second.asked) == set(whole[1].asked)
        again = len(first.asked) + len(second.asked) - total
        assert 0 < again <= CONCURRENCY * CONFIG.attempts, dies_at
        ledger = Rounds(pafs.LocalFileSystem(), str(folder), RAW).total(range(4))[1]
        assert ledger.whole().tokens == whole[2].tally.tokens


def test_cut_off_again_and_again_it_still_ends_the_same(whole, tmp_path):
    deaths = 0
    while True:
        try:
            run(tmp_path, SeededChat(deaths, dies_at=CONCURRENCY + 2))
            break
        except Killed:
            deaths += 1
    assert deaths > 3
    assert files(tmp_path) == whole[0]


def test_shots_come_from_rounds_at_least_two_back(whole):
    folder = whole[3]
    rounds = Rounds(pafs.LocalFileSystem(), str(folder), RAW)
    round_of = {row["id"]: row["round"] for number in range(4) for row in rounds.read(number, "generations")}
    shown = [(row["round"], round_of[shot]) for number in range(4) for row in rounds.read(number, "generations")
             for shot in row["shots"]]  # fmt: skip
    assert shown
    assert all(earlier <= later - 2 for later, earlier in shown)


def test_a_finished_generation_asks_nothing(whole):
    chat = SeededChat()
    run(whole[3], chat)
    assert chat.asked == []


def test_a_file_of_the_journal_that_cannot_be_read_is_asked_for_again(whole, tmp_path):
    with pytest.raises(Killed):
        run(tmp_path, SeededChat(dies_at=8))
    names = sorted(tmp_path.rglob(".answers-*.jsonl"))
    names[0].write_bytes(b"\xff half a line")
    run(tmp_path, SeededChat())
    assert files(tmp_path) == whole[0]


class PartlyFailing(SeededChat):
    """Its endpoint refuses or fails every third question, in a run in which it is `down`."""

    down = True

    async def __call__(self, request):
        answer = await super().__call__(request)
        if self.down and request.seed % 3 == 0:
            blame = "question" if request.seed % 2 else "endpoint"
            return answer | {"text": "", "error": "the endpoint says 500: oops", "blame": blame}
        return answer


def test_rows_that_the_endpoint_failed_are_asked_again_on_the_next_run_and_no_others(whole, tmp_path):
    first, second = PartlyFailing(), PartlyFailing()
    second.down = False
    rounds = Rounds(pafs.LocalFileSystem(), str(tmp_path), RAW)
    left = run(tmp_path, first).tally
    failed = sum(count for reason, count in left.failed.items() if "says 500" in reason)
    assert failed == len(rounds.unanswered(range(4))) > 0
    assert left.ended == len(ROWS)
    used = rounds.total(range(4))[1].whole()
    book = run(tmp_path, second)
    answered = {seed for seed, _ in first.asked if seed % 3}
    assert not answered & {seed for seed, _ in second.asked}
    assert book.tally.ended == len(ROWS) and rounds.unanswered(range(4)) == []
    assert not any("says 500" in reason for reason in book.tally.failed)
    assert not list(tmp_path.rglob(".*"))
    questions = sum(one.questions for one in rounds.total(range(4))[1].whole().used.values())
    assert questions == len(first.asked) + len(second.asked) > sum(one.questions for one in used.used.values())
    run(tmp_path, third := SeededChat())
    assert third.asked == []


def test_killed_while_it_asks_again_it_loses_nothing(tmp_path):
    run(tmp_path, PartlyFailing())
    dying = PartlyFailing(dies_at=2)
    dying.down = False
    with pytest.raises(Killed):
        run(tmp_path, dying)
    last = PartlyFailing()
    last.down = False
    book = run(tmp_path, last)
    assert book.tally.ended == len(ROWS)
    assert not any("says 500" in reason for reason in book.tally.failed)
