"""Instruction sets of others: read in every form, rows that are none counted, answers replaced, nothing lost."""

import asyncio
import gzip
import json

import pyarrow as pa
import pytest
import yaml
from pyarrow import fs as pafs

from codeocean.export.mix import AlpacaSource, AnswerConfig, MixConfig, mix_card, mixed, read_sources, with_answers
from codeocean.export.reanswer import answer_rows
from codeocean.records import INSTANCES
from codeocean.verify.columns import unproved

ROWS = [{"instruction": "Add two numbers.", "input": "1, 2", "output": "3"}, {"instruction": "Say hi.", "output": "hi"}]
FS = pafs.LocalFileSystem()


def source(path, **fields) -> AlpacaSource:
    return AlpacaSource(name="theirs", path=str(path), license="CC-BY-4.0", **fields)


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_arrays_and_lines_are_read_packed_or_not(tmp_path, lines, packed):
    text = "\n".join(map(json.dumps, ROWS)) if lines else json.dumps(ROWS, indent=1)
    path = tmp_path / ("x.json" + "l" * lines + ".gz" * packed)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    found = read_sources([source(path)])
    assert [(row["instruction"], row["input"], row["output"]) for row in found.rows] == [
        ("Add two numbers.", "1, 2", "3"), ("Say hi.", "", "hi")]  # fmt: skip
    assert json.loads(found.rows[1]["provenance"]) == {"source": "theirs", "row": 1, "license": "CC-BY-4.0"}
    assert (found.num_read, found.dropped) == (2, {})
    assert read_sources([source(path, limit=1)]).num_read == 1


def test_other_names_of_the_fields_are_mapped(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"problem": "Do it.", "solution": "done"}')
    found = read_sources([source(tmp_path / "x.jsonl", columns={"instruction": "problem", "output": "solution"})])
    assert found.rows[0]["output"] == "done"


def test_rows_that_are_none_are_counted(tmp_path):
    lines = [json.dumps(ROWS[0]), "{", "[1]", "3", json.dumps({"instruction": " ", "output": "x"}), json.dumps({"instruction": "x"}),
             json.dumps({"instruction": "x", "output": 3}), json.dumps({"instruction": "x", "output": "y" * 100_001}),
             '{"instruction": "x", "output": "\\ud800"}']  # fmt: skip
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    found = read_sources([source(tmp_path / "x.jsonl")])
    assert len(found.rows) == 1
    assert found.dropped == {"corrupt row": 5, "no instruction": 1, "no output": 1, "row too large": 1}
    assert found.num_read == len(found.rows) + sum(found.dropped.values())


@pytest.mark.parametrize("content", [b"", b"[]", b"[{", b"nothing", b"\x1f\x8bno gzip"])
def test_a_file_without_instructions_is_one_clear_line(tmp_path, content):
    for name in ("x.json", "x.json.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=r"mix\.sources") as caught:
            read_sources([source(tmp_path / name)])
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"mix\.sources"):
        read_sources([source(tmp_path / "none.json")])


def table(num_rows: int) -> pa.Table:
    provenance = json.dumps({"license": "MIT", "verified": {"parses": "passed"}})
    rows = [{"id": str(n), "raw_id": "", "task": "t", "language": "", "instruction": f"Do {n}.", "input": "x" * (n % 2),
             "output": "old", "provenance": provenance} for n in range(num_rows)]  # fmt: skip
    return pa.Table.from_pylist([unproved() | row for row in rows], schema=INSTANCES)


class Chat:
    """Answers, and loses its connection at the `breaks`-th question."""

    def __init__(self, breaks: int = 10**9) -> None:
        self.asked, self.breaks = [], breaks

    async def __call__(self, request):
        self.asked.append(request.messages[-1]["content"])
        if len(self.asked) > self.breaks:
            raise ConnectionError("gone")
        text = self.asked[-1].upper()
        return {
            "text": text,
            "finish_reason": "length" if "DO 3" in text else "stop",
            "error": "refused: x" if "DO 4" in text else "",
        }


def test_answers_are_asked_for_once_and_a_cut_off_run_goes_on(tmp_path):
    config = AnswerConfig(model="m", rows_per_part=2, concurrency=1)
    first, again = Chat(breaks=5), Chat()
    with pytest.raises(ConnectionError):
        asyncio.run(answer_rows(config, table(7), first, "m", FS, str(tmp_path)))
    found = asyncio.run(answer_rows(config, table(7), again, "m", FS, str(tmp_path))).found
    assert [text for text, _ in found] == ["DO 0.", "DO 1.\n\nX", "DO 2.", "DO 3.\n\nX", "DO 4.", "DO 5.\n\nX", "DO 6."]
    assert [error for _, error in found] == ["", "", "", "answer cut off", "no answer: refused", "", ""]
    assert again.asked == ["Do 5.\n\nx", "Do 6."]  # every answer was kept


def test_a_new_answer_claims_no_check_of_the_old_one():
    rows, reasons = with_answers(table(3), [("new", ""), (" ", ""), ("", "no answer")], "big")
    assert rows["output"].to_pylist() == ["new", " ", ""]
    assert reasons == ["", "no answer", "no answer"]
    assert json.loads(rows["provenance"][0].as_py()) == {"license": "MIT", "answered_by": "big"}
    assert rows.schema == INSTANCES


def test_a_new_answer_is_not_proved_by_the_tests_of_the_old_one():
    old = pa.Table.from_pylist([table(1).to_pylist()[0] | {"proof": "tests", "pass_rate": 1.0}], schema=INSTANCES)
    rows, _ = with_answers(old, [("new", "")], "big")
    assert (rows["proof"].to_pylist(), rows["pass_rate"].to_pylist()) == (["none"], [None])


def test_rows_of_an_older_version_are_mixed_with_those_of_others(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(ROWS))
    old = table(2).select(["id", "raw_id", "task", "language", "instruction", "input", "output", "provenance"])
    rows = mixed(old, read_sources([source(tmp_path / "x.json")]))
    assert rows["proof"].to_pylist() == [None, None, "none", "none"]


def test_the_card_names_sources_licences_and_who_answered(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(ROWS))
    rows = mixed(table(2), read_sources([source(tmp_path / "x.json")]))
    found = {"problems": 164, "median_nearest_similarity": 0.4, "largest_similarity": 0.6}
    card = mix_card(rows, {"near duplicate instance": 4}, {"humaneval": found}, "big", {"theirs": "CC-BY-4.0"})
    assert yaml.safe_load(card.split("---")[1])["configs"][0]["data_files"] == "mix.jsonl"
    for line in ("4 instructions: CodeOcean, theirs.", "answered again by big", "| theirs | 2 | CC-BY-4.0 |",
                 "| near duplicate instance | 4 |", "| humaneval | 164 | 0.4 | 0.6 |"):  # fmt: skip
        assert line in card
    assert "Not decontaminated" in mix_card(rows, {}, {}, "", {})


def test_nothing_is_mixed_unless_asked_for():
    assert not MixConfig().wanted
    assert MixConfig(answers=AnswerConfig(model="m")).wanted
