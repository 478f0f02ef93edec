#!/usr/bin/env bash
# CPython 3.11 cannot make syntax trees in several threads: right source raises a SystemError.
#
# The usual guess: `ast.parse` may be called from any thread; the GIL sees to the rest.
# True: 3.11 (3.11.2 and 3.11.7 seen) counts the depth of a tree in one place for all threads. While a tree is made,
#   garbage is collected; a finalizer written in Python lets another thread in, which counts there too. The first one
#   raises "AST constructor recursion depth mismatch". 3.9, 3.10, 3.12 and 3.13 raised none in 100,000 parses each.
# Whom it hurts: servers, linters and graders that parse in a pool of threads. It takes seconds here and days elsewhere,
#   as it needs a collection at the wrong moment, and `except SyntaxError` does not catch it.
# Needs python3.11 itself, as Debian 12 has it; no packages.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"${PYTHON:-python3.11}" - <<'PYTHON'
import ast
import sys
import threading

SOURCES = ["x = " + "[" * 30 + "1" + "]" * 30 + "\n", "def add(a, b):\n    return a + b\n" * 20]


class Node:
    def __init__(self):
        self.me = self

    def __del__(self):
        pass


def parse(source, told, lock):
    try:
        for _ in range(2000):
            with lock:
                ast.parse(source)
            for _ in range(20):
                Node()
    except BaseException as error:
        told.append(f"{type(error).__name__}: {error}")


def run(make_lock):
    told = []
    threads = [threading.Thread(target=parse, args=(source, told, make_lock())) for source in SOURCES * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


print("python", sys.version.split()[0])
sys.setswitchinterval(1e-5)
shared = threading.Lock()
alone, beside = run(lambda: shared), run(threading.Lock)
print("four threads, one parses at a time:", alone or "no error")
print("four threads, beside each other:   ", beside[:1] or "no error")
if alone or not beside or "recursion depth mismatch" not in beside[0]:
    sys.exit("the behaviour has changed")
PYTHON
