#!/usr/bin/env bash
# Rows whose partition begins with a point or an underscore are written, and are not there when the dataset is read.
#
# The usual guess: what `write_dataset(…, partitioning=["repo"])` writes, `dataset(…, partitioning=["repo"])` reads. Files
#   that begin with "." or "_" are left out of a listing, which is about marks such as _SUCCESS.
# True: with pyarrow 26.0.1 the rule holds for folders, too, and the default layout makes a folder of each value alone:
#   the rows of ".github" and "_posts" are on the disk and never come back, and `count_rows` knows nothing of them.
#   With `partitioning_flavor="hive"` a folder is called repo=.github, and all rows are read.
# Whom it hurts: who divides code by repository, owner or folder: ".github" is among the commonest names of all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

print("pyarrow", pa.__version__)
rows = pa.table({"repo": [".github", "_posts", "linux", "linux"], "stars": [1, 2, 3, 4]})
plain, hive = f"{sys.argv[1]}/plain", f"{sys.argv[1]}/hive"
ds.write_dataset(rows, plain, format="parquet", partitioning=["repo"])
ds.write_dataset(rows, hive, format="parquet", partitioning=["repo"], partitioning_flavor="hive")
on_disk = sum(ds.dataset(str(file), format="parquet").count_rows() for file in Path(plain).rglob("*.parquet"))
read = ds.dataset(plain, format="parquet", partitioning=["repo"])
asked = read.to_table(filter=ds.field("repo") == ".github").num_rows
of_hive = ds.dataset(hive, format="parquet", partitioning="hive").count_rows()
whole = ds.dataset(plain, format="parquet", partitioning=["repo"], ignore_prefixes=[]).count_rows()
print(f"written {rows.num_rows} rows, in the files {on_disk}, read {read.count_rows()}, of .github {asked}")
print(f"read with ignore_prefixes=[] {whole}; written and read as hive {of_hive}")
found = (on_disk, read.count_rows(), asked, whole, of_hive)
raise SystemExit(0 if found == (4, 2, 0, 4, 4) else "such partitions are read now")
PYTHON
