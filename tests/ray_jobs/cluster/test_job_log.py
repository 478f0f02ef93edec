"""What a job's log says of its stages and of what it waits for."""

from ray_jobs.cluster.job_log import read_stages, read_waiting

LOG = """2026-11-25 13:08:11,090 INFO job_manager.py:581 -- Runtime env is setting up.
13:00:00 collect: done before, skipped
13:00:01 embed: begins
13:00:31 waiting: for 2 × 1 GPU
13:00:31 waiting: the autoscaler is starting nodes: 2 of type gpu; that takes some minutes
13:02:00 waiting: no more
13:02:10 embed: part 1 of 2
13:03:00 embed: 100 rows in, 100 out, 119 s
select: begins without a time is no line of ours
13:03:01 select: begins
13:03:31 waiting: for 1 GPU
13:03:31 waiting: no node type has that
13:04:31 waiting: for 1 GPU
13:04:31 waiting: starting a node failed
elsewhere: 5 rows in, 5 out, 1 s
"""


def test_stages_and_their_states():
    found = [(stage.stage, stage.state, stage.since) for stage in read_stages(LOG)]
    assert found == [
        ("collect", "skipped", "13:00:00"),
        ("embed", "done", "13:03:00"),
        ("select", "running", "13:03:01"),
    ]
    halfway = read_stages("\n".join(LOG.splitlines()[:7]))
    assert (halfway[1].state, halfway[1].last) == ("running", "part 1 of 2")


def test_only_the_last_words_on_waiting_count():
    assert read_waiting(LOG) == ["for 1 GPU", "starting a node failed"]
    assert read_waiting("\n".join(LOG.splitlines()[:6])) == []
