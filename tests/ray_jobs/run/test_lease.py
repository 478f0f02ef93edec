"""Two jobs at one run directory in an object store: one holds it, the other is refused; a dead one's lease expires."""

import json
import os
import threading
import time

import pyarrow as pa
import pytest
from pyarrow import fs as pafs

from codeocean.select.settings import CoresetConfig
from core.object_store import open_url
from core.storage import write_bytes, write_part
from ray_jobs.run import lease as leases
from ray_jobs.run.fingerprint import Covered
from ray_jobs.run.lease import Lease, Times, hold_lease
from ray_jobs.run.rundir import RunDir, StageResult, run_stage
from tests.object_store import error, when

QUICK = Times(expiry=3.0, renewal=0.3, poll=0.2)
"""The store's clock has whole seconds."""


@pytest.fixture
def folder(store):
    fs, root = open_url(f"{store.bucket()}/run")
    return fs, f"{root}/.leases/collect"


def claims(folder):
    return [
        info.base_name
        for info in folder[0].get_file_info(pafs.FileSelector(folder[1], allow_not_found=True))
        if info.is_file
    ]


def test_the_second_job_is_refused_while_the_first_renews_and_goes_on_after_it(folder):
    with hold_lease(*folder, "s3://b/run/collect", QUICK):
        refused = pytest.raises(ValueError, match=rf"written by another job \(process {os.getpid()} on .*, since 20")
        with refused, hold_lease(*folder, "s3://b/run/collect", QUICK):
            pass
        assert len(claims(folder)) == 1
    assert claims(folder) == []
    with hold_lease(*folder, "s3://b/run/collect", QUICK):
        assert len(claims(folder)) == 1


def test_the_lease_of_a_job_that_died_elsewhere_expires(folder, monkeypatch):
    dead = Lease(*folder, "collect", QUICK)
    dead._claim["machine"] = "another"
    assert dead._try() == {}  # holds it, and never renews
    begun = time.monotonic()
    with hold_lease(*folder, "collect", QUICK):
        assert time.monotonic() - begun > 1.0
        assert len(claims(folder)) == 1


def test_the_lease_of_a_job_that_died_on_this_machine_is_taken_at_once(folder):
    dead = Lease(*folder, "collect", Times())
    dead._claim["process"] = 2**22 + 1
    assert dead._try() == {}
    with hold_lease(*folder, "collect", Times()):
        assert len(claims(folder)) == 1


def test_of_many_jobs_at_once_never_two_hold_it(folder):
    holding, most, barrier = [], [], threading.Barrier(3)

    def contend():
        barrier.wait()
        try:
            with hold_lease(*folder, "collect", QUICK):
                holding.append(1)
                most.append(len(holding))
                time.sleep(0.2)
                holding.pop()
        except ValueError:
            pass

    threads = [threading.Thread(target=contend) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert max(most, default=1) == 1 and claims(folder) == []


def test_a_job_whose_lease_was_taken_while_it_slept_stops(folder, monkeypatch):
    """It wakes after the expiry, finds another's claim, withdraws and is interrupted."""
    interrupted = threading.Event()
    monkeypatch.setattr(leases._thread, "interrupt_main", interrupted.set)
    clock, other = leases._clock, {"host": "elsewhere", "process": 1, "machine": "another"}

    def sleeps():
        with hold_lease(*folder, "collect", QUICK):
            first = set(claims(folder))
            monkeypatch.setattr(leases, "_clock", lambda: clock() + 100)
            write_bytes(folder[0], f"{folder[1]}/other.json", json.dumps(other).encode())
            assert interrupted.wait(120)
            assert not first & set(claims(folder))
            raise KeyboardInterrupt

    with pytest.raises(ValueError, match="another job took it"):
        sleeps()


def test_a_store_that_is_away_for_a_while_costs_no_lease(folder, store, caplog):
    with hold_lease(*folder, "collect", QUICK):
        mine = claims(folder)
        store.fault = lambda environ: error("403 Forbidden", "AccessDenied")
        time.sleep(1.0)
        store.fault = None
        time.sleep(1.0)
        assert claims(folder) == mine


def do(run, config, fail=False):
    def work():
        name = f"part-{len(run.files('collect')):05d}.parquet"
        write_part(run.fs, run.path("collect", name), pa.table({"config": [str(config)]}))
        if fail:
            raise KeyboardInterrupt
        return StageResult(3, 2, {"too short": 1})

    return run_stage(run, "collect", Covered(CoresetConfig(), config), {"sources": "a"}, work)


def test_a_run_directory_in_a_bucket_resumes_and_keeps_what_other_settings_made(store):
    url = f"{store.bucket()}/runs/one"
    with pytest.raises(KeyboardInterrupt):
        do(RunDir(url), {"x": 1}, fail=True)
    first = do(RunDir(url), {"x": 1})
    assert first["files"] == ["part-00000.parquet", "part-00001.parquet"] and first["attempts"] == 2
    assert do(RunDir(url), {"x": 1}) == first
    second = do(RunDir(url), {"x": 2})
    assert second["files"] == ["part-00000.parquet"]
    run = RunDir(url, create=False)
    assert run.folders("superseded", "collect") == [f"superseded/collect-{first['digest']}"]
    store.requests.clear()
    assert do(RunDir(url), {"x": 1}) == first
    assert run.files("collect") == first["files"]


def test_a_bucket_that_is_not_there_is_no_empty_run(store):
    with pytest.raises(OSError, match="s3://no-such-bucket/run: there is no such bucket"):
        RunDir("s3://no-such-bucket/run", create=False)


def test_a_store_that_lists_late_is_refused_for_two_jobs_would_not_see_each_other(store, folder):
    def lists_nothing(environ, start_response):
        body = b"<?xml version='1.0'?><ListBucketResult><Name>b</Name><KeyCount>0</KeyCount></ListBucketResult>"
        start_response("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    store.fault = when(lambda method, path: method == "GET" and "list-type" in path, lists_nothing)
    with pytest.raises(OSError, match="does not list what was just written"), hold_lease(*folder, "s3://b/run", QUICK):
        pass
    store.fault = None
    assert claims(folder) == []
