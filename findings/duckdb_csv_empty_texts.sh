#!/usr/bin/env bash
# DuckDB writes an empty text as "" and a null as nothing, and reads both back as null.
#
# The usual guess: `COPY … TO 'rows.csv'` quotes the empty text to keep it apart from null, as PostgreSQL does; the same
#   program reads its own file as the same rows.
# True: with DuckDB 2.0.1 the reader's null is the empty text, quoted or not: what the writer kept apart is one again.
#   `allow_quoted_nulls=false` keeps them apart; its default is true. There is no warning. Parquet keeps both.
# Whom it hurts: who takes rows with text IS NOT NULL, counts missing answers or compares text = '': every empty output,
#   comment or system prompt is a missing one after a round through CSV, and drops out of the comparison.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import pathlib
import sys

import duckdb

folder = pathlib.Path(sys.argv[1])
ROWS = [(1, "x = 1"), (2, ""), (3, None)]
database = duckdb.connect()
database.execute("create table rows (id integer, answer varchar)")
database.executemany("insert into rows values (?, ?)", ROWS)
for form in ("csv", "parquet"):
    database.execute(f"copy rows to '{folder}/rows.{form}'")


def read(source):
    return database.execute(f"select * from {source} order by id").fetchall()


file = f"'{folder}/rows.csv'"
by_default, by_option = read(file), read(f"read_csv({file}, allow_quoted_nulls=false)")
by_parquet = read(f"'{folder}/rows.parquet'")
print("duckdb", duckdb.__version__)
print(f"written: {ROWS}\nin the file: {(folder / 'rows.csv').read_text().splitlines()}")
print(f"read: {by_default}\nwith allow_quoted_nulls=false: {by_option}\nfrom Parquet: {by_parquet}")
unchanged = by_default == [ROWS[0], (2, None), ROWS[2]] and by_option == by_parquet == ROWS
raise SystemExit(0 if unchanged else "DuckDB reads its own CSV otherwise now")
PYTHON
