"""The texts of an answer that may be the program: fenced blocks, alone and together, and what stands outside. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

from core.languages import EVALUATED, fence_tags
from eval.answers.fences import Block, split_fences
from eval.answers.trees import brace_units, is_code, is_open
from eval.answers.units import Unit, is_open_python, is_python, python_units
from eval.answers.wording import chosen_block, is_called_wrong

TAGS: dict[str, frozenset[str]] = {language: fence_tags(language) for language in EVALUATED}


@dataclass(frozen=True)
class Source:
    """A text that may be the program."""

    text: str
    where: str
    tag: int = 1
    blocks: int = 1
    place: int = 0
    fenced: bool = True
    wrong: bool = False
    units: tuple[Unit, ...] = field(default=())


def units_of(text: str, language: str) -> tuple[Unit, ...]:
    """The top-level statements of the code in a text."""
    return python_units(text) if language == "python" else brace_units(text, language)


def is_code_of(text: str, language: str) -> bool:
    """Whether a text as a whole is code of a language."""
    return is_python(text) if language == "python" else is_code(text, language)


def is_open_in(text: str, language: str) -> bool:
    """Whether a text ends inside a string, a comment or a bracket."""
    return is_open_python(text) if language == "python" else is_open(text, language)


def sources_of(text: str, language: str, name: str) -> Iterator[list[Source]]:
    """Texts that may be the program: blocks, each alone and with the others; then what stands outside of them.

    Args:
        text: of the answer, or a repaired one.
        language: of the program.
        name: of the function that is wanted; empty for a whole program.
    """
    blocks, outside = split_fences(text, lambda code: is_open_in(code, language))
    found = _joined_halves(list(_block_sources(blocks, language, name, outside)), language)
    found = _without_own_modules(found, language)
    if any(one.text != found[-1].text and one.text.startswith(found[-1].text) for one in found if not one.wrong):
        found.pop()  # an earlier one again, cut off
    found = found if language == "python" else _with_imports(found, language)
    yield found + list(_joined_sources(found, name))
    around = "\n".join(outside)
    if not around.strip():
        return
    around = _without_cut_repeat(around, language)
    alone = Source(around, "text outside of fences", 1, 1, -1, False, False, units_of(around, language))
    right = [each for each in found if not each.wrong]
    units = (*alone.units, *(unit for each in right for unit in each.units))
    everything = "\n".join([around, *(each.text for each in right)])
    whole_text = Source(everything, "text with its blocks", 1, len(blocks) + 1, -1, False, False, units)
    yield [*found, alone, whole_text] if blocks else [alone]
    quoted, _ = split_fences(around, lambda code: is_open_in(code, language), quotes=True)
    yield list(_block_sources(quoted, language, name, []))


def _block_sources(blocks: Sequence[Block], language: str, name: str, outside: list[str]) -> Iterator[Source]:
    known = set().union(*TAGS.values()) - TAGS[language]
    units = [units_of(block.code, language) for block in blocks]
    defining = [place for place, each in enumerate(units) if name and binds_name(each, name)]
    chosen = chosen_block([blocks[place] for place in defining], "\n".join(outside))
    for place, block in enumerate(blocks):
        tag = 2 if block.tag in TAGS[language] else 0 if block.tag in known else 1
        wrong = is_called_wrong(block) or (chosen is not None and place in defining and place != defining[chosen])
        code = _without_cut_repeat(_with_fence_line(block, language), language)
        if code.strip():
            where = f"block {place + 1} of {len(blocks)}"
            yield Source(code, where, tag, 1, place, True, wrong, units_of(code, language))


def _without_cut_repeat(text: str, language: str) -> str:
    """Python without a last definition that is the beginning of an earlier one: there the model was cut off."""
    units = units_of(text, language) if language == "python" else ()
    last, end = units[-1].text if units else "", text.rstrip()
    is_cut = any(each.text.startswith(last) and len(each.text) > len(last) for each in units[:-1])
    return end.removesuffix(last) if is_cut and units[-1].kind == "definition" else text


def _joined_sources(found: Sequence[Source], wanted: str) -> Iterator[Source]:
    """Each block that defines the function, with what other blocks define besides; of a program, all blocks."""
    if not wanted and len(found) > 1:
        right = [each for each in found if each.tag and not each.wrong]
        units = [unit for each in right for unit in each.units]
        text = "\n\n".join(unit.text for unit in units)
        if right:
            yield replace(right[0], text=text, units=tuple(units), blocks=len(right), where="all blocks")
        return
    for source in found:
        if len(found) > 1 and binds_name(source.units, wanted):
            units = [unit for each in found for unit in each.units
                     if each is source or (each.tag and not binds_name([unit], wanted))]  # fmt: skip
            joined = "\n\n".join(unit.text for unit in units)
            where = f"{source.where} with the others"
            yield replace(source, text=joined, units=tuple(units), blocks=len(found), where=where)


def _with_fence_line(block: Block, language: str) -> str:
    """A block's code, with what of it stands on the line of its fence, without a word that only names the language."""
    code = block.code
    first, _, rest = code.partition("\n")
    if first.strip().lower() in TAGS[language]:
        code = rest
    behind = block.info[len(block.tag) :].strip() if block.tag in TAGS[language] else block.info
    if behind and not re.fullmatch(r"[\w+#.{}=\[\]-]*", behind):
        longer = f"{behind}\n{code}"
        if is_code_of(longer, language):
            return longer
    return code


def _joined_halves(sources: list[Source], language: str) -> list[Source]:
    """Blocks of which one goes on with a definition that the former began."""
    found: list[Source] = []
    for source in sources:
        if found and not found[-1].wrong and not (is_code_of(source.text, language) and source.text[:1].strip()):
            both = f"{found[-1].text}\n{source.text}"
            if is_code_of(both, language) and (not is_code_of(found[-1].text, language) or source.text[:1] in " \t"):
                begun = found.pop()
                found.append(
                    replace(begun, text=both, units=units_of(both, language), where=f"{begun.where} and the next")
                )
                continue
        found.append(source)
    return found


def _with_imports(sources: list[Source], language: str) -> list[Source]:
    """Blocks with the imports of those blocks that hold nothing else: without them they may not compile."""
    alone = [each for each in sources if each.tag and each.units and all(unit.kind == "import" for unit in each.units)
             and is_code_of(each.text, language)]  # fmt: skip
    kept: list[Source] = []
    for source in sources:
        new = [unit for each in alone for unit in each.units if unit.text not in source.text]
        text = "\n".join([*(unit.text for unit in new), source.text]) if new else source.text
        kept.append(source if source in alone else replace(source, text=text, units=(*new, *source.units)))
    return kept


def _without_own_modules(sources: list[Source], language: str) -> list[Source]:
    """Blocks without imports of what other blocks define: they stand for files of one program."""
    kept: list[Source] = []
    for source in sources:
        others = {name for each in sources if each is not source for unit in each.units
                  if unit.kind != "import" for name in unit.names}  # fmt: skip
        files = re.findall(r"^mod[ \t]+(\w+)[ \t]*;", source.text, re.MULTILINE) if language == "rust" else []
        units = [unit for unit in source.units if not _is_own_module(unit, language, others)
                 and not re.match(rf"use[ \t]+(?:{'|'.join(files) or '-'})::", unit.text)]  # fmt: skip
        if len(units) < len(source.units):
            text = "\n\n".join(unit.text for unit in units)
            kept.append(replace(source, units=tuple(units), text=text))
        else:
            kept.append(source)
    return kept


_OWN_FILES = {
    "cpp": r"#[ \t]*include[ \t]*\"(?!(?:bits/\S*|assert|ctype|errno|float|limits|locale|math|stddef|stdint|stdio"
    r"|stdlib|string|time)\.h\")[\w./-]+\.(?:h|hh|hpp|hxx)\"",
    "javascript": r"(?:import\b[^;]*\bfrom|(?:const|let|var)\b[^;]*=\s*require\()\s*['\"]\.",
    "rust": r"(?:pub[ \t]+)?(?:mod[ \t]+\w+[ \t]*;|use[ \t]+(?:crate|super)::)",
}
"""How a statement begins that names another file of the same program."""


def _is_own_module(unit: Unit, language: str, others: Set[str]) -> bool:
    """Whether a statement imports what other blocks define.

    Args:
        unit: the statement.
        language: of the blocks.
        others: what other blocks define.
    """
    if language == "python":
        match = re.match(r"from[ \t]+(\.*\w*)", unit.text) if unit.kind == "import" else None
        return match is not None and match[1] not in sys.stdlib_module_names and unit.names <= others
    match = re.match(_OWN_FILES[language], unit.text) if language in _OWN_FILES else None
    return match is not None and bool(others) and (language != "javascript" or unit.names <= others)


def binds_name(units: Iterable[Unit], name: str) -> bool:
    """Whether statements define a function, themselves or in a class."""
    return any(name in unit.names | unit.methods and unit.kind != "import" for unit in units)
