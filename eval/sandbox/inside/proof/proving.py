"""The tests' side of a proof: every solution against every test, the choice, and the mutants of what was chosen.

Tests are data, or assertions that can only compare (`assertions.py`). Solutions run in processes of their own
(`supervisor.py`), and this one executes no line of them. A test is passed only if it passes twice: what a solution
answers otherwise the second time it does not know.

Outcomes of a test are letters: P passed, M the right value, but an argument is changed and the test does not say so,
F another value, E an exception, T out of time, D the process ended, V passed and then did not, U passed and would with
any value, X the test is none, N not run.
"""

from __future__ import annotations

import contextlib
import copy
import signal
from types import CodeType
from typing import Any

from eval.sandbox.inside import batches, values, wire
from eval.sandbox.inside.codec import Gone
from eval.sandbox.inside.proof import agreement, assertions, sought
from eval.sandbox.inside.proof.supervisor import Children, Lost

MAX_DEATHS = 2
"""Processes that a solution may lose before the rest of its tests are not run."""

MUTANT_TIMES, MUTANT_FLOOR_S, SLOW_S = 4.0, 0.02, 0.1
"""A mutant may take so many times the processor time of the solution, and at least so much. A solution that has lost a
process counts with the last: what its other calls took is not known from the process that made the last ones."""

Row = dict[str, Any]

MOST_NAMED = 100
"""Letters that are told of what a solution needs."""

ASSERTION_S = 1.0
"""Processor seconds that an assertion may take beside the solution's."""


class Late(BaseException):
    """An assertion goes on and on."""


class Ended(BaseException):
    """A solution's process has ended, and the letter of its test is known."""


def prove(order: Row, descriptor: int) -> Row:
    """Carry an order out.

    Args:
        order: `tests, entry_point, solutions` (their texts), `mutants` (how many there are of each), `seconds` (of
            processor, for a solution), `wall_s`, `supervised`, `in_place` (of `agreement.rank`).
        descriptor: of the socket to the other side.

    Returns:
        `outcomes`: of each solution a letter for each test. `errors`: of each solution what it raised, each once.
        `chosen`: numbers of the best group. `kills`: of each mutant of the first of them, 1 or 0. `by_value`: whether
        a mutant was told by another value, and not only by a crash, which any call notices. `observed`: number of a
        test without `expected` → what the first solution answers, which it then expects.
    """
    tests, children = [_prepared(test, order["entry_point"]) for test in order["tests"]], Children(
        descriptor, supervised=order["supervised"], wall_s=order["wall_s"]
    )  # fmt: skip
    asking = [number for number, test in enumerate(tests) if isinstance(test, dict) and "expected" not in test]
    signal.signal(signal.SIGPROF, _late)
    outcomes, errors, used = list[str](), list[list[str]](), list[float]()
    for number in range(len(order["solutions"])):
        row, raised, seconds = _outcomes_of(number, tests, order, children)
        outcomes.append(row)
        errors.append(raised)
        used.append(seconds)
    chosen = agreement.rank(outcomes, order["solutions"], in_place=order["in_place"])
    kills, by_value = list[int](), False
    if chosen:
        letters = outcomes[chosen[0]]
        passed = [each for each in zip(tests, letters, strict=True) if each[1] in agreement.RIGHT]
        limit = min(order["seconds"], max(MUTANT_FLOOR_S, MUTANT_TIMES * used[chosen[0]]))
        kills, by_value = _kills(chosen[0], passed, order, children, limit)
    children.end()
    observed = {
        number: order["tests"][number]["expected"] for number in asking if outcomes[0][number] in agreement.RIGHT
    }
    return {"outcomes": outcomes, "errors": errors, "chosen": chosen, "kills": kills, "by_value": by_value} | (
        {"observed": observed} if asking else {}
    )


def _prepared(test: Row, entry_point: str) -> CodeType | Row | None:
    """A test as it is run; None where it is none."""
    if "assertion" not in test:
        return test
    try:
        return assertions.compiled(test["assertion"], entry_point)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _outcomes_of(
    number: int, tests: list[CodeType | Row | None], order: Row, children: Children
) -> tuple[str, list[str], float]:
    """A letter for each test, what was raised, and the processor seconds that it took."""
    letters = ["X" if test is None else "N" for test in tests]
    errors: dict[str, None] = {}
    deaths, place, peer = 0, 0, None
    while deaths < MAX_DEATHS and (place := _next(letters, place)) < len(tests):
        try:
            peer = children.start(number, order["seconds"])
            peer.begin_define(0)
            if not deaths:
                _ahead(peer, order["entry_point"], tests, children, letters, errors)
            else:
                peer.wait_ready()
            if _next(letters, place) < len(tests):
                function = peer.look(order["entry_point"], named=False)
            while (place := _next(letters, place)) < len(tests):
                letter = _twice(function, tests[place], order["entry_point"], errors)
                children.check_time()
                letters[place] = letter
        except (Gone, Late, Ended) as error:  # after an assertion that was cut off, it may be in the middle of a call
            if not isinstance(error, Ended):
                letters[_next(letters, 0)] = children.end() if isinstance(error, Gone) else "X"
            place, deaths = 0, deaths + 1
            if not order["supervised"]:
                break
        except Lost:
            raise
        except BaseException as error:  # noqa: BLE001 - what the solution's own text raises when it is defined
            errors[_described(error)] = None
            letters = ["E" if letter == "N" else letter for letter in letters]
    if peer and not deaths and (missing := _missing(peer, letters)):
        errors, letters = {f"needs {missing}": None}, ["E" if letter in "FV" else letter for letter in letters]
    children.end()
    seconds = max(children.cpu_s, SLOW_S) if deaths else children.cpu_s
    return "".join(letters), list(errors)[:3], seconds


def _missing(peer: wire.Peer, letters: list[str]) -> str:
    """What a solution that passes nothing looked for in vain; empty for nothing."""
    if agreement.RIGHT & set(letters):
        return ""
    try:
        found = peer.look(sought.NAME)
    except BaseException:  # noqa: BLE001 - the process is gone, or has taken the name away
        return ""
    first = found[0] if type(found) is list and found else ""  # it may have made it something that never ends
    return first[:MOST_NAMED] if type(first) is str and first.isprintable() else ""


def _ahead(
    peer: wire.Peer,
    entry_point: str,
    tests: list[Any],
    children: Children,
    letters: list[str],
    errors: dict[str, None],
) -> None:
    """Wait for a solution's definition, and make the calls of all tests before the first assertion, each twice.

    They go out in one message. What the definition raises is raised.

    Raises:
        Ended: the process has ended meanwhile.
    """
    count = next((n for n, test in enumerate(tests) if not _goes_ahead(test)), len(tests))
    peer.ahead.ask(entry_point, [test["arguments"] for test in tests[:count] for _ in range(2)])
    peer.wait_ready()
    answers, ended = list[Any](), False
    try:
        while len(answers) < 2 * count:
            answer = peer.ahead.answered()
            children.check_time()
            answers.append(answer)
    except Gone:  # what came before counts
        letters[len(answers) // 2], ended = children.end(), True
    for place in range(len(answers) // 2):
        with contextlib.suppress(*([Gone] if ended else [])):  # a value that only the process could tell: once more
            letters[place] = _letter_of_two(peer, answers[2 * place : 2 * place + 2], tests[place], errors)
    if ended:
        raise Ended


def _goes_ahead(test: Any) -> bool:
    """Whether a test is a call whose arguments nobody looks at afterwards."""
    return isinstance(test, dict) and "after" not in test


def _letter_of_two(peer: wire.Peer, answers: list[Any], test: Row, errors: dict[str, None]) -> str:
    first = _letter(peer, answers[0], test, errors)
    return _of_both(first, _letter(peer, answers[1], test, errors) if first in agreement.RIGHT else first)


def _of_both(first: str, second: str) -> str:
    """The outcome of a test that was run twice, or once where that decides."""
    if first not in agreement.RIGHT:
        return first
    return max(first, second, key="PM".find) if second in agreement.RIGHT else "V"


def _letter(peer: wire.Peer, answer: Any, test: Row, errors: dict[str, None]) -> str:
    """A letter for an answer that was asked for ahead; raises Gone where it cannot be read any more."""
    try:
        moved, answer = batches.without_mark(answer)
        return _told(_holds(peer.ahead.value_of(answer), test), moved=moved)
    except Gone:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the solution raises
        errors[_described(error)] = None
        return "E"


def _next(letters: list[str], place: int) -> int:
    """The next test that was not run."""
    return next((n for n in range(place, len(letters)) if letters[n] == "N"), len(letters))


def _twice(function: Any, test: Any, entry_point: str, errors: dict[str, None]) -> str:
    recorder = assertions.Recorder(function)
    first = _once(recorder, test, entry_point, errors)
    both = _of_both(first, _once(function, test, entry_point, errors) if first in agreement.RIGHT else first)
    if isinstance(test, dict) or both not in agreement.RIGHT:
        return both
    signal.setitimer(signal.ITIMER_PROF, ASSERTION_S)
    try:
        moved = recorder.moved and not assertions.gives_names(test)
        return "U" if assertions.says_nothing(test, entry_point, recorder.seen) else _told(True, moved=moved)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _once(function: Any, test: Any, entry_point: str, errors: dict[str, None]) -> str:
    """A letter for a test; raises Gone where the solution's process has ended or is late."""
    try:
        if isinstance(test, dict):
            given = copy.deepcopy(test["arguments"])
            holds = _holds(function(*given), test)
            if "after" in test:
                return _told(holds and values.same(given, test["after"]))
            return _told(holds, moved=given != test["arguments"])
        signal.setitimer(signal.ITIMER_PROF, ASSERTION_S)  # of this process: the solution's time is another's
        return "P" if eval(test, assertions.names_for(entry_point, function)) else "F"  # noqa: S307 - of a closed list
    except (Gone, Late):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the solution raises
        errors[_described(error)] = None
        return "E"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _told(holds: bool, *, moved: bool = False) -> str:  # noqa: FBT001 - what was found
    return ("M" if moved else "P") if holds else "F"


def _holds(value: Any, test: Row) -> bool:
    """Whether a value is the one expected; of a test that expects none yet the first one is."""
    if hasattr(type(value), "__await__"):
        value = _awaited(value)
    if "expected" not in test:
        test["expected"] = values.plain(value)
    return values.same(value, test["expected"])


def _awaited(value: Any) -> Any:
    """What a coroutine of the solution's comes to, in its own process."""
    try:
        next(type(value).__await__(value))
    except StopIteration as end:
        return end.value
    return value


def _late(*_: object) -> None:
    raise Late


def _described(error: BaseException) -> str:
    """`NameError: name 'CONFIG' is not defined`, of its first 120 characters."""
    try:
        return f"{type(error).__name__}: {error}"[:120]
    except BaseException:  # noqa: BLE001 - an exception of the solution's own making
        return type(error).__name__[:120]


def _kills(
    number: int, tests: list[tuple[Any, str]], order: Row, children: Children, limit: float
) -> tuple[list[int], bool]:
    """Of each mutant of a solution, whether it fails one of the tests that the solution passes; whether by a value.

    Each test comes with the solution's letter.
    """
    count, by_value = order["mutants"][number], False
    alone = count * limit > order["seconds"]  # which the kernel allows a process for all that it defines
    kills: list[int] = []
    while len(kills) < count:
        try:
            peer = children.start(len(order["solutions"]) + number, limit)
            while len(kills) < count:
                letters = _letters_of(peer, len(kills), tests, order, thorough=not by_value)
                kills.append(int(letters != {"P"}))
                by_value = by_value or "F" in letters
                if len(kills) < count and (alone or not _is_ready(peer)):
                    break
        except (Gone, Late):  # it ended its process, or took too long
            children.end()
            kills.append(1)
    return kills, by_value


def _is_ready(peer: wire.Peer) -> bool:
    """Whether a process has made all calls that it was sent, and lives."""
    try:
        peer.ahead.wait()
    except Gone:
        return False
    return True


def _letters_of(peer: wire.Peer, mutant: int, tests: list[tuple[Any, str]], order: Row, *, thorough: bool) -> set[str]:
    """Outcomes of a mutant: up to the first test that it fails, or if `thorough` to the first that a value fails.

    A letter of a test that it does not fail is P.
    """
    calls = [test["arguments"] for test, _ in tests if _goes_ahead(test)]
    ahead = len(calls) == len(tests)
    peer.begin_define(mutant)
    if ahead:
        peer.ahead.ask(order["entry_point"], calls)
    try:
        peer.wait_ready()
        function = None if ahead else peer.look(order["entry_point"], named=False)
    except (Gone, Late):
        raise
    except BaseException:  # noqa: BLE001 - it raises when it is defined
        return {"E"}
    letters = {"P"}
    for test, model in tests:
        if ahead:
            letter = _letter(peer, peer.ahead.answered(), test, {})
        else:
            letter = _once(function, test, order["entry_point"], {})
        letters.add(letter if agreement.is_killed(letter, model) else "P")
        if "F" in letters or (len(letters) > 1 and not thorough):
            break
    return letters
