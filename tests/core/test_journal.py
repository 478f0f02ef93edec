"""What was kept is there, whatever happened next."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs as pafs

from core.journal import Journal, Remembered

FS = pafs.LocalFileSystem()


@given(st.lists(st.text(), max_size=20), st.integers(1, 4))
def test_entries_come_back_as_they_were_from_any_number_of_lives(tmp_path_factory, texts, lives):
    folder = tmp_path_factory.mktemp("journal")

    async def life(part):
        journal = Journal(FS, str(folder))
        await asyncio.gather(*[journal.keep({"text": text}) for text in part])

    for number in range(lives):
        asyncio.run(life(texts[number::lives]))
    entries = [entry["text"] for entry in Journal(FS, str(folder)).read()]
    assert sorted(entries) == sorted(texts)
    Journal(FS, str(folder)).forget()
    assert list(folder.iterdir()) == []


def test_what_comes_during_a_write_goes_together_into_the_next(tmp_path):
    async def write():
        journal = Journal(FS, str(tmp_path))
        await asyncio.gather(*[journal.keep({"n": number}) for number in range(500)])

    asyncio.run(write())
    assert len(list(tmp_path.iterdir())) < 10


def test_whoever_waits_for_a_write_that_fails_learns_it(tmp_path):
    (tmp_path / "file").write_text("in the way")

    async def write():
        await Journal(FS, str(tmp_path / "file")).keep({"n": 1})

    with pytest.raises(OSError, match="file"):
        asyncio.run(write())


def test_half_a_file_is_no_file(tmp_path):
    async def write():
        journal = Journal(FS, str(tmp_path))
        for number in range(3):
            await journal.keep({"n": number})

    asyncio.run(write())
    (tmp_path / ".answers-000001.jsonl").write_bytes(b'{"n": ')
    (tmp_path / ".answers-000003.jsonl.making").write_bytes(b'{"n": 3}')
    assert [entry["n"] for entry in Journal(FS, str(tmp_path)).read()] == [0, 2]
    asyncio.run(write())
    assert len(Journal(FS, str(tmp_path)).read()) == 5


def test_a_result_is_made_once_and_again_where_it_was_not_worth_it_or_something_else_decides(tmp_path):
    made = []

    async def life(within, *wanted):
        remembered = Remembered(Journal(FS, str(tmp_path)), within)

        async def result(of):
            async def work():
                made.append((within, of))
                return {"of": of}

            return await remembered.make(of, work, lambda made: made["of"] != "bad")

        return await asyncio.gather(*map(result, wanted))

    assert asyncio.run(life(1, "good", "bad")) == asyncio.run(life(1, "good", "bad")) == [{"of": "good"}, {"of": "bad"}]
    asyncio.run(life(2, "good"))
    assert sorted(made) == [(1, "bad"), (1, "bad"), (1, "good"), (2, "good")]
