"""Many solutions and many tests of one problem, and the mutants of what the tests choose, in one run of the sandbox.

    the tests' process                        the solutions' processes
    ------------------                        ------------------------
    runs data and plain assertions   ──call──▶  a supervisor forks one for each solution, one after the other
    chooses, has mutants run         ◀─value──  then one for the mutants of the chosen solution
    tells the host what it found

As in `oracle.py`, the tests' process executes no line of a solution, and here none of a test either beyond comparing
(`eval/sandbox/inside/proof/assertions.py`): tests are written by a model too.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict, Unpack

from eval.sandbox.call_tests import NotCallable, program_of
from eval.sandbox.calls.missing import what_is_missing, what_was_sought
from eval.sandbox.calls.names import with_hint
from eval.sandbox.inside.proof import agreement
from eval.sandbox.inside.proof.proving import MAX_DEATHS
from eval.sandbox.inside.values import MAX_TEXT
from eval.sandbox.isolation import isolation, seccomp_filter
from eval.sandbox.machine_speed import slowness
from eval.sandbox.oracle import judge, start_pair
from eval.sandbox.process_tree import SandboxError, watch
from eval.sandbox.run import PREPARING_S, Limits, ending, python_order, retried, start_python
from eval.sandbox.toolchains import require_toolchain

Row = dict[str, Any]

WALL_S = 5.0
"""Seconds in which a solution answers that sleeps: its processor time is bounded by the kernel."""


MISSING = "needs "
"""How an error begins that says what is not here."""

QUICK_S = 2.0
"""Seconds in which most solutions pass all tests in other languages than Python; their mutants get twice as long."""


class Asked(TypedDict, total=False):
    """What may be asked for beside running tests."""

    mutants: Sequence[Sequence[str]]
    """Edits of each solution, in its order; none by default."""
    in_place: bool | None
    """Whether solutions are to change their arguments, by default not: of some that answer alike, those that do
    otherwise are not chosen. None where the first solution decides."""


def prove(
    solutions: Sequence[str],
    tests: Sequence[Row],
    *,
    language: str,
    entry_point: str,
    timeout: float,
    memory_mb: int,
    **asked: Unpack[Asked],
) -> Row:
    """As `prove_python`, in any language of the sandbox; `ended` says so where a language is not one of them."""
    if language == "python":
        found = prove_python(solutions, tests, entry_point=entry_point, timeout=timeout, memory_mb=memory_mb, **asked)
        return found | {"errors": _hinted(found["errors"], solutions, language)}
    in_place, mutants = asked.get("in_place", False), asked.get("mutants", ())
    try:
        require_toolchain(language)
    except (ValueError, FileNotFoundError) as error:
        nothing: Row = {"outcomes": [], "errors": [], "chosen": [], "kills": [], "by_value": False, "moves": []}
        return nothing | {"ended": "no toolchain" if isinstance(error, FileNotFoundError) else f"{language} is not run"}
    function, limits = (language, entry_point), Limits(timeout, memory_mb)
    rows, slow = list[_Letters](), set[int]()
    observed = dict[int, Any]()
    for number, solution in enumerate(solutions):
        row = _letters(
            solution, tests, range(len(tests)), function, Limits(min(QUICK_S, timeout), memory_mb), observed, deaths=1
        )
        if {"T", "D"} & set(row.letters):
            slow.add(number)
            row = _letters(solution, tests, range(len(tests)), function, limits, observed)
        rows.append(row.excused())
    outcomes = [row.letters for row in rows]
    chosen = agreement.rank(outcomes, solutions, in_place=in_place)
    kills, by_value = list[int](), False
    if chosen and chosen[0] not in slow:  # its mutants need not go on for as long as a solution may
        limits = Limits(min(2 * QUICK_S, timeout), memory_mb)
    for mutant in mutants[chosen[0]] if chosen and mutants else ():
        model = outcomes[chosen[0]]
        passed = [place for place, letter in enumerate(model) if letter in agreement.RIGHT]
        letters, word, _ = _letters(mutant, tests, passed, function, limits, {}, deaths=1)
        if not word.startswith(("syntax", "signature", MISSING)):  # an edit that does not compile is no mutant
            kills.append(int(any(agreement.is_killed(letters[place], model[place]) for place in passed)))
            by_value = by_value or "F" in letters
    errors = _hinted([[row.word] if row.word else [] for row in rows], solutions, language)
    return _settled({"outcomes": outcomes, "errors": errors, "chosen": chosen,
                     "kills": kills, "by_value": by_value, "ended": "passed"}) | (
                {"observed": {place: value for place, value in observed.items() if outcomes[0][place] == "P"}}
                if observed else {})  # fmt: skip


class _Letters(NamedTuple):
    """How a solution fared."""

    letters: str
    """One for each test, "N" for those not asked for."""
    word: str
    """What went wrong."""
    sought: str
    """A file or the network, which its program looked for in vain."""

    def excused(self) -> _Letters:
        """As what needs something, if it passes nothing and looked for something, whatever it answered or died of."""
        if not self.sought or agreement.RIGHT & set(self.letters):
            return self
        word = self.word if self.word.startswith(MISSING) else f"{MISSING}{self.sought}"
        return self._replace(letters=re.sub("[FVD]", "E", self.letters), word=word)


def _hinted(errors: Sequence[Sequence[str]], solutions: Sequence[str], language: str) -> list[list[str]]:
    pairs = zip(errors, solutions, strict=True)
    return [[with_hint(error, solution, language) for error in some] for some, solution in pairs]


def _settled(found: Row) -> Row:
    """What was found, with `moves`: the numbers of the solutions that change an argument."""
    outcomes = found["outcomes"]
    moves = [number for number, row in enumerate(outcomes) if agreement.MOVED in row]
    return found | {"outcomes": agreement.settled(outcomes, found["chosen"]), "moves": moves}


def _letters(
    solution: str,
    tests: Sequence[Row],
    places: Sequence[int],
    function: tuple[str, str],
    limits: Limits,
    observed: dict[int, Any],
    *,
    deaths: int = MAX_DEATHS,
) -> _Letters:
    """A letter for each test.

    `function` is its language, other than Python, and its name. `observed` takes what was answered to tests that
    expect nothing, and `deaths` are processes that it may lose.
    """
    language, name = function
    letters, left, word, sought = ["N"] * len(tests), list(places), "", ""
    for _ in range(deaths):
        mark = secrets.token_hex(8)
        try:
            candidate, program, none = program_of(solution, tests, left, language, name, mark)
        except NotCallable as error:
            return _Letters("X" * len(tests), f"signature: {error}", "")
        for place in none:
            letters[place] = "X"
        left = [place for place in left if place not in none]
        if not left:
            break
        outcome = judge(candidate, program, language=language, entry_point=name, **vars(limits))
        told = f"{outcome.stdout}\n{outcome.stderr}"
        sought = sought or what_was_sought(outcome.stderr, language, solution)
        for place, letter in re.findall(rf"^{mark} (\d+) ([PMFEV])$", told, re.MULTILINE):
            letters[int(place)] = letter
        for place, text in re.findall(rf"^{mark} (\d+) = (.{{1,{MAX_TEXT}}})$", told, re.MULTILINE):
            observed[int(place)] = json.loads(text)
        left = [place for place in left if letters[place] == "N"]
        raised = re.search(rf"^{mark} ! (.{{1,120}})$", told, re.MULTILINE)
        missing = what_is_missing(raised[1] if raised else told if left else "", language, solution)
        word = f"{MISSING}{missing}" if missing else raised[1] if raised and not word else word
        if not left:
            break
        if outcome.outcome in {"syntax", "signature"} or (missing and not raised):
            shown = " ".join(f"{outcome.stderr} {outcome.stdout}".split())[:100]  # Go's compiler writes to stdout
            word = word or f"{outcome.outcome}: {shown}"
            return _Letters("".join(letters).replace("N", "E"), word, sought)
        letters[left.pop(0)], word = "T" if outcome.outcome == "timeout" else "D", word or outcome.outcome
    return _Letters("".join(letters), word, sought)


def prove_python(
    solutions: Sequence[str],
    tests: Sequence[Row],
    *,
    entry_point: str,
    timeout: float,
    memory_mb: int,
    unsafe_no_sandbox: bool = False,
    **asked: Unpack[Asked],
) -> Row:
    """Run every test against every solution, choose, and run mutants against the tests that the chosen one passes.

    Args:
        solutions: complete sources in Python.
        tests: `{"arguments": [...], "expected": value}` or `{"assertion": text}`; without `expected` the first solution
            tells what is expected; with `after` the arguments have to be those after the call.
        entry_point: the function that the tests call.
        timeout: processor seconds of one solution with all its tests.
        memory_mb: of each process.
        unsafe_no_sandbox: run them without isolation.
        asked: how solutions are chosen, and what is made of the chosen one.

    Returns:
        As `proving.prove` inside the sandbox, with outcomes as `agreement.settled` has them; `moves`, the numbers of
        solutions that change an argument; and `ended`, "passed" unless the run as a whole came to nothing.

    Raises:
        PermissionError: this machine offers no isolation.
        SandboxError: the sandbox failed, again and again; never a verdict.
    """
    in_place, mutants = asked.get("in_place", False), asked.get("mutants") or [[]] * len(solutions)
    supervised = not unsafe_no_sandbox and isolation().forks and bool(seccomp_filter())

    def run(some: Sequence[str], edits: Sequence[Sequence[str]]) -> Row:
        named = {"entry_point": entry_point, "in_place": in_place}
        return _run(some, tests, named, edits, Limits(timeout, memory_mb), supervised=supervised,
                    unsafe=unsafe_no_sandbox)  # fmt: skip

    if supervised:
        return _settled(run(solutions, mutants))
    found = [run([solution], [[]]) for solution in solutions]
    outcomes = [one["outcomes"][0] for one in found]
    chosen = agreement.rank(outcomes, solutions, in_place=in_place)
    kills, by_value = list[int](), False
    for mutant in mutants[chosen[0]] if chosen else ():
        letters = run([mutant], [[]])["outcomes"][0]
        passed = [pair for pair in zip(letters, outcomes[chosen[0]], strict=True) if pair[1] in agreement.RIGHT]
        kills.append(int(any(agreement.is_killed(*pair) for pair in passed)))
        by_value = by_value or any(its == "F" for its, _ in passed)
    observed = {name: each for name, each in found[0].items() if name == "observed"} if found else {}
    return observed | _settled({"outcomes": outcomes, "errors": [one["errors"][0] for one in found], "chosen": chosen,
                                "kills": kills, "by_value": by_value, "ended": "passed"})  # fmt: skip


def _run(
    solutions: Sequence[str],
    tests: Sequence[Row],
    named: dict[str, Any],
    mutants: Sequence[Sequence[str]],
    limits: Limits,
    *,
    supervised: bool,
    unsafe: bool,
) -> Row:
    children = [[solution] for solution in solutions] + [list(each) for each in mutants]
    more = {"child_filter": seccomp_filter(shares=True).hex()} if supervised else {}
    orders = [
        python_order("proof", "", limits, tests=list(tests), solutions=list(solutions),
                     mutants=[len(each) for each in mutants], **named,
                     seconds=limits.timeout * slowness(), wall_s=WALL_S * slowness(), supervised=supervised),
        python_order("candidates", "", limits, children=children, **more),
    ]  # fmt: skip
    unknown: Row = {"outcomes": ["N" * len(tests)] * len(solutions), "errors": [[] for _ in solutions], "chosen": [],
                    "kills": [], "by_value": False}  # fmt: skip

    def attempt() -> Row:
        trees = start_pair(orders, lambda order, peer: start_python(order, peer=peer, unsafe=unsafe))
        processes = MAX_DEATHS * len(solutions) + max(map(len, mutants), default=0)
        whole_s = processes * (limits.wall_s + 2 * WALL_S * slowness())  # each is bounded by itself
        in_time = watch(trees, whole_s, PREPARING_S * slowness())
        status = ending(trees[0], orders[0], in_time=in_time)
        head = f"{orders[0]['nonce']} found "
        lines = [line for line in trees[0].streams.text("report").splitlines() if line.startswith(head)]
        if status == "passed" and lines:
            return dict(json.loads(lines[0].removeprefix(head))) | {"ended": status}
        if status == "gone":
            raise SandboxError(f"the supervisor ended: {trees[1].streams.text('stderr')[-300:]}")
        return unknown | {"ended": status}

    return retried(attempt, lambda found: str(found["ended"]))
