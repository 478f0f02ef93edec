#!/usr/bin/env bash
# An identity `map_batches` of Ray Data changes large integers, and makes nulls NaN, in the blocks that hold a null.
#
# The usual guess: ds.map_batches(lambda batch: batch) gives back the rows; a null stays a null, and an id an id.
# True: with Ray 2.60.0 the default batch is NumPy, which has no null among integers: a block with one becomes floating
#   point, 9007199254740993 is 9007199254740992.0 behind it, and None is NaN. A block without keeps int64, so that the
#   same column has two types. "pyarrow" and "pandas" batches keep all.
# Whom it hurts: who joins on ids, hashes or timestamps behind a step that never touched them, and counts nulls.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.3.5
cat > "$folder/batches.py" <<'PYTHON'
import logging
import math

import pyarrow as pa
import ray

ODD = 2**53 + 1


def same(batch):
    return batch


ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
logging.getLogger("ray.data").setLevel(logging.ERROR)
context = ray.data.DataContext.get_current()
context.enable_progress_bars, context.execution_options.preserve_order = False, True
blocks = [pa.table({"id": pa.array(ids, pa.int64())}) for ids in ([ODD, ODD + 2], [ODD, None])]
rows = ray.data.from_arrow(blocks)
print("ray", ray.__version__)
found = {"as they were": [row["id"] for row in rows.take_all()]}
for form in ("numpy", "pandas", "pyarrow"):
    found[form] = [row["id"] for row in rows.map_batches(same, batch_format=form, batch_size=None).take_all()]
for form, ids in found.items():
    print(f"{form}: {ids}")
kept = [ODD, ODD + 2, ODD, None]
by_numpy = found.pop("numpy")
unchanged = all(ids == kept for ids in found.values())
unchanged = unchanged and by_numpy[2] == float(ODD - 1) and isinstance(by_numpy[2], float) and math.isnan(by_numpy[3])
unchanged = unchanged and [int(each) for each in by_numpy[:2]] == kept[:2]
raise SystemExit(0 if unchanged else "batches keep other values now")
PYTHON
"$folder/venv/bin/python" "$folder/batches.py" 2>"$folder/errors" || { tail -5 "$folder/errors"; exit 1; }
