r"""Many texts → their tokens, as arrays: no Python object for a token.

A token is a run of letters, digits and `_`, or any other sign that is no space: `[A-Za-z0-9_]+|[^A-Za-z0-9_\s]`. Where
asked, a sign stands where a block of indented lines begins or ends; how wide a step is does not count. Lines inside
brackets belong to no block.

Not covered: texts beyond ASCII (`collect/duplicates.py` reads these one by one); brackets inside strings count as
brackets.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

# B bytes of all texts · T tokens of all texts · N texts

BEGIN, END = 1, 2
"""Signs of blocks: no text of code holds these bytes as anything else."""
LONG = 64
"""Bytes of a word from which on its checksum is computed alone."""

_SPACE, _WORD = 0, 1
_KINDS = np.full(256, 2, np.uint8)
_KINDS[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = _SPACE  # as Python's `\s`
_KINDS[[*range(48, 58), *range(65, 91), *range(97, 123), 95]] = _WORD
_STEPS = np.zeros(256, np.int64)
_STEPS[list(b"([{")], _STEPS[list(b")]}")] = 1, -1


def _crc_table() -> npt.NDArray[np.uint32]:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(0xEDB88320), values >> 1)
    return values


_CRC = _crc_table()


class Tokens(NamedTuple):
    """The tokens of N texts one after the other."""

    counts: Numbers
    """(N,) tokens of each text."""
    checksums: npt.NDArray[np.uint32]
    """(T,) CRC-32 of each token."""
    joined: list[bytes]
    """(N) the tokens of each text with a space between."""


def read_tokens(texts: Sequence[bytes], blocks: Sequence[bool]) -> Tokens:
    """Tokens of texts.

    Args:
        texts: N texts, ASCII.
        blocks: of each, whether the signs of blocks are wanted.

    Cost: a dozen passes over the bytes in NumPy, and Python for each line that is further in or out than the last.
    """
    whole = b"".join(part for text in texts for part in (b"\n", text))
    signs = np.frombuffer(whole, np.uint8)
    first = np.cumsum([0, *(len(text) + 1 for text in texts)])
    kinds = _KINDS[signs]
    word, begins = kinds == _WORD, kinds != _SPACE
    kept, ends = signs[begins], begins.copy()
    joint = word[1:] & word[:-1]
    begins[1:] &= ~joint
    ends[:-1] &= ~joint
    starts = np.flatnonzero(begins)
    lengths = np.flatnonzero(ends) + 1 - starts
    bounds = np.searchsorted(starts, first)
    places, values = _block_signs(whole, starts, bounds, blocks)
    before = np.cumsum(np.bincount(places, minlength=len(starts) + 1))  # signs of blocks up to each token
    sums = np.insert(_checksums(signs, starts, lengths), places, _SIGN_SUMS[values])
    joined = _joined(kept, lengths, before[:-1], (places, values))
    all_ends = np.concatenate([[0], np.cumsum(lengths + 1)])[bounds]
    bounds = bounds + np.searchsorted(places, bounds)
    all_ends += 2 * np.searchsorted(places, np.searchsorted(starts, first))
    spans = zip(all_ends[:-1].tolist(), all_ends[1:].tolist(), strict=True)
    return Tokens(np.diff(bounds), sums, [joined[begin : end - 1] if end > begin else b"" for begin, end in spans])


def _joined(signs: Bytes, lengths: Numbers, before: Numbers, extra: tuple[Numbers, Bytes]) -> bytes:
    """All tokens with a space behind each.

    Args:
        signs: of all tokens but the extra ones.
        lengths: of each token.
        before: extra tokens before each.
        extra: each the number of the token behind it, and its sign.
    """
    places, values = extra
    spaces = np.arange(len(lengths)) + 2 * before
    out = np.full(len(signs) + len(lengths) + 2 * len(places), 32, np.uint8)
    out[np.arange(len(signs)) + np.repeat(spaces, lengths)] = signs
    ends = np.concatenate([[0], np.cumsum(lengths + 1)])
    out[ends[places] + 2 * np.arange(len(places))] = values
    return out.tobytes()


def _checksums(signs: Bytes, starts: Numbers, lengths: Numbers) -> npt.NDArray[np.uint32]:
    """CRC-32 of each token; the longest tokens first, so that each step works on those that are left."""
    capped = np.minimum(lengths, LONG).astype(np.int8)
    order = np.argsort(-capped, kind="stable")
    begins, falling = starts[order], -capped[order]
    sums = np.full(len(starts), 0xFFFFFFFF, np.uint32)
    left = np.searchsorted(falling, -np.arange(LONG))
    for step, count in enumerate(left):
        if count == 0:
            break
        some = sums[:count]
        some[:] = _CRC[(some ^ signs[begins[:count] + step]) & np.uint32(0xFF)] ^ (some >> np.uint32(8))
    sums ^= np.uint32(0xFFFFFFFF)
    found = np.empty_like(sums)
    found[order] = sums
    for place in np.flatnonzero(lengths > LONG):
        found[place] = zlib.crc32(signs[starts[place] : starts[place] + lengths[place]].tobytes())
    return found


_SIGN_SUMS = np.array([zlib.crc32(bytes([sign])) for sign in range(3)], np.uint32)


def _block_signs(whole: bytes, starts: Numbers, bounds: Numbers, blocks: Sequence[bool]) -> tuple[Numbers, Bytes]:
    """Where signs of blocks stand: each the number of the token behind it, and the sign."""
    if not any(blocks):
        return np.zeros(0, np.int64), np.zeros(0, np.uint8)
    signs = np.frombuffer(whole, np.uint8)
    feeds = np.flatnonzero(signs == 10)
    heads = np.searchsorted(starts, feeds)  # the first token behind each line feed
    nearest = np.append(heads[1:] != heads[:-1], True) & (heads < len(starts))
    heads, feeds = heads[nearest], feeds[nearest]
    texts = np.searchsorted(bounds, heads, side="right") - 1
    steps = np.concatenate([[0], np.cumsum(_STEPS[signs[starts]])])
    depth = steps[heads] - steps[bounds[texts]]
    chosen = np.asarray(blocks, bool)[texts] & (depth <= 0) & (signs[starts[heads]] != ord("#"))
    lines, owners = heads[chosen], texts[chosen]
    widths = _widths(whole, feeds[chosen] + 1, starts[lines])
    before = np.where(np.diff(owners, prepend=-1) != 0, 0, np.concatenate([[0], widths[:-1]]))
    changed = np.flatnonzero(widths != before)
    places, values, stack, text = list[int](), list[int](), [0], -1
    numbers = (array[changed].tolist() for array in (lines, widths, owners))
    for line, width, owner in zip(*numbers, strict=True):
        if owner != text:
            stack, text = [0], owner
        while width < stack[-1]:
            stack.pop()
            places.append(line)
            values.append(END)
        if width > stack[-1]:
            stack.append(width)
            places.append(line)
            values.append(BEGIN)
    return np.array(places, np.int64), np.array(values, np.uint8)


def _widths(whole: bytes, begins: Numbers, ends: Numbers) -> Numbers:
    """Columns of white space; tabs go to the next multiple of eight."""
    widths = ends - begins
    if b"\t" in whole:
        tabs = np.concatenate([[0], np.cumsum(np.frombuffer(whole, np.uint8) == 9)])
        for place in np.flatnonzero(tabs[ends] > tabs[begins]):
            widths[place] = len(whole[begins[place] : ends[place]].expandtabs())
    return widths
