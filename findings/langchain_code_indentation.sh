#!/usr/bin/env bash
# LangChain's splitter for code takes the indentation of each piece's first line away, and of no other line.
#
# The usual guess: `RecursiveCharacterTextSplitter.from_language(Language.PYTHON)`, made for code, cuts between lines, and
#   its pieces are what stands in the file. Without overlap they make the file again.
# True: with langchain-text-splitters 1.1.3 every piece is stripped. Its first line moves to the left, and the next stay:
#   a statement of a loop's body stands left of the line behind the loop, which seems to be inside of it. Parsed, a piece
#   is another program or none. `strip_whitespace=False` keeps the text.
# Whom it hurts: who shows such pieces to a model as code, or trains on them: in Python the indentation is the meaning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langchain-text-splitters==1.1.3
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

CODE = '''def total(rows):
    count = 0
    for row in rows:
        if row:
            count += row["n"]
    return count


def largest(rows):
    best = 0
    for row in rows:
        best = max(best, row["n"])
        print(best)
    return best
'''


def pieces(**settings):
    splitter = RecursiveCharacterTextSplitter.from_language(Language.PYTHON, chunk_size=80, chunk_overlap=0, **settings)
    found = splitter.split_text(CODE)
    print(f"\nwith {settings}, together the file: {''.join(found) == CODE}")
    for piece in found:
        print(f"  {piece!r}")
    return found


print("langchain-text-splitters", version("langchain-text-splitters"))
stripped, kept = pieces(), pieces(strip_whitespace=False)
moved = [piece for piece in stripped if piece not in CODE.split("\n") and f"\n{piece}" not in f"\n{CODE}"]
print(f"\npieces whose first line was moved: {moved}")
unchanged = 'count += row["n"]\n    return count' in stripped and "".join(kept) == CODE and len(moved) > 0
raise SystemExit(0 if unchanged else "pieces keep their indentation now")
PYTHON
