#!/usr/bin/env bash
# One NaN in a column makes Ray Data's sum, mean and std None; min and max leave it out, and a groupby says NaN.
#
# The usual guess: what the docstrings say: `ignore_nulls` is True, and np.nan is a null, so it is left out. Or, as in
#   NumPy, the result is NaN.
# True: with Ray 2.60.0 a column of 1.0, NaN and 3.0 has sum, mean and std None, in one block or several. Its min is 1.0
#   and its max 3.0. `groupby(...).mean` of the same column is NaN. With None in its place all are as documented: 2.0.
# Whom it hurts: who watches losses, rewards or scores: one bad row of a million, and the mean is gone without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "ray[data]==2.60.0" pyarrow==26.0.1 pandas==3.1.1 numpy==2.3.5
cat > "$folder/means.py" <<'PYTHON'
import logging
import math

import pyarrow as pa
import ray

ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
logging.getLogger("ray.data").setLevel(logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False
print("ray", ray.__version__)


def asked(missing):
    blocks = [pa.table({"run": ["a"] * len(part), "loss": pa.array(part, pa.float64())}) for part in ([1.0, missing], [3.0])]
    rows = ray.data.from_arrow(blocks)
    found = {name: getattr(rows, name)("loss") for name in ("sum", "mean", "std", "min", "max")}
    found["mean of a group"] = rows.groupby("run").mean("loss").take_all()[0]["mean(loss)"]
    print(missing, found)
    return found


nan, null = asked(math.nan), asked(None)
unchanged = [nan[name] for name in ("sum", "mean", "std")] == [None] * 3 and (nan["min"], nan["max"]) == (1.0, 3.0)
unchanged = unchanged and math.isnan(nan["mean of a group"]) and (null["mean"], null["mean of a group"]) == (2.0, 2.0)
raise SystemExit(0 if unchanged else "NaN is treated otherwise now")
PYTHON
"$folder/venv/bin/python" "$folder/means.py" 2>"$folder/errors" || { tail -5 "$folder/errors"; exit 1; }
