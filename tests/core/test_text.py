"""Text with half of a surrogate pair is told, and made storable."""

import pytest

from core.text import is_storable, storable


@pytest.mark.parametrize("text", ["", "plain", "größer", "🙂", "\0"])
def test_what_can_be_stored_stays(text):
    assert is_storable(text)
    assert storable(text) == text


def test_half_a_pair_becomes_a_mark():
    assert not is_storable("a\ud83d")
    assert storable("a\ud83db") == "a?b"
