"""Stages on a real Ray whose input and run directory lie in a bucket: the bytes of a folder, and a token that expires."""

import gzip
import json
import os

import pytest

from core.storage import write_bytes
from ray_jobs import cli
from ray_jobs.cluster.chaos import compare, is_same
from ray_jobs.run import lease
from ray_jobs.run.rundir import RunDir
from tests.object_store import KEY, error

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROWS = 60


def rows():
    """CodeSearchNet's form, of our own functions."""
    for number in range(ROWS):
        doc = f"Return the {number}-th value of a list after the values before it were added up and doubled."
        code = (f'def value_{number}(values):\n    """{doc}"""\n    total = 0\n'
                f"    for value in values[:{number}]:\n        total += 2 * value\n    return total + values[{number}]\n")  # fmt: skip
        yield {"repo": "me/mine", "path": f"m{number}.py", "func_name": f"value_{number}", "original_string": code,
               "language": "python", "code": code, "docstring": doc, "url": f"https://example.com/{number}"}  # fmt: skip


def collect(capsys, run_dir, source):
    """Exit code and what was said."""
    sources = json.dumps([{"kind": "codesearchnet", "path": source}])
    code = cli.main(["collect", "--config", "configs/demo.yaml", "--run-dir", run_dir, "--set", f"collect.sources={sources}",
                     "--set", "collect.sample=1.0", "--set", "collect.rows_per_part=16"])  # fmt: skip
    return code, capsys.readouterr().err


def bucket_of(store):
    """A new bucket's URL with all that is needed to reach it: Ray's workers may be older than the test's environment."""

    def place(*parts):
        where = f"scheme=http&region=us-east-1&endpoint_override={store.url.removeprefix('http://')}"
        return "/".join([f"s3://{KEY}:secret@{name}", *parts]) + f"?{where}"

    name = store.bucket().removeprefix("s3://")
    return place


@pytest.fixture
def sources(store, tmp_path):
    """The same files in a folder and in a bucket."""
    lines = [json.dumps(row) for row in rows()]
    folder, bucket = tmp_path / "input", RunDir(bucket_of(store)("input"))
    folder.mkdir()
    for number in range(3):
        content = gzip.compress("\n".join(lines[number::3]).encode(), mtime=0)
        (folder / f"python_train_{number}.jsonl.gz").write_bytes(content)
        write_bytes(bucket.fs, bucket.path(f"python_train_{number}.jsonl.gz"), content)
    return str(folder), bucket.url


def test_input_by_url_gives_the_bytes_of_a_folder(local_ray, store, sources, tmp_path, capsys):
    folder, url = sources
    runs = [RunDir(str(tmp_path / "run")), RunDir(bucket_of(store)("run"))]
    for run, source in zip(runs, (folder, url), strict=True):
        code, said = collect(capsys, run.url, source)
        assert code == 0, said
    assert runs[0].manifest("collect")["rows_out"] > ROWS // 2
    for run in runs:  # which names its source
        run.fs.delete_file(run.path("collect", "manifest.json"))
    found = compare(*runs, ["collect"])
    assert is_same(found), found
    assert found["collect"]["files"] >= 3


@pytest.mark.parametrize(
    "test",
    [
        lambda method, path: method == "GET" and "python_train_2" in path,
        lambda method, path: method == "PUT" and "part-00001" in path,
    ],
    ids=["while a worker reads", "while the job writes"],
)
def test_a_token_that_expires_in_the_middle_is_one_line_and_a_rerun_goes_on(
    local_ray, store, sources, capsys, monkeypatch, test
):
    _, url = sources
    run_dir, expired = bucket_of(store)("run"), []

    def fault(environ):
        path = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        if expired or test(environ["REQUEST_METHOD"], path):
            expired.append(path)
            return error("400 Bad Request", "ExpiredToken")
        return None

    store.fault = fault
    code, said = collect(capsys, run_dir, url)
    assert code == 2 and expired
    (line,) = [line for line in said.splitlines() if line.startswith("wavecoder collect:")]
    assert "renew AWS_SESSION_TOKEN" in line and "run the same command again" in line
    store.fault = None
    # A user's job has ended with its process; here that is this one, and its lease would be waited for, a minute.
    monkeypatch.setattr(lease, "_is_dead", lambda owner: owner["process"] == os.getpid())
    run = RunDir(run_dir)
    code, said = collect(capsys, run_dir, url)
    assert code == 0, said
    assert run.manifest("collect")["attempts"] == 2
    whole = RunDir(bucket_of(store)("whole"))
    assert collect(capsys, whole.url, url)[0] == 0
    assert is_same(compare(whole, run, ["collect"]))
