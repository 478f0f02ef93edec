"""What a user sees of a failure: one line, an exit code, and nothing lost."""

import errno
import importlib
import os
import subprocess
import sys
from contextlib import suppress

import pytest
from ray.data.exceptions import SystemException
from ray.exceptions import NodeDiedError, RayTaskError, UserCodeException

from ray_jobs import cli
from ray_jobs.cli import root_cause, run_job

DEMO = "configs/demo.yaml"


def run(capsys, job, *arguments):
    code = run_job("collect", job, list(arguments))
    return code, [line for line in capsys.readouterr().err.splitlines() if line.startswith("wavecoder")]


def failing(error):
    def job(config, run):
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("select.size is too\n large"), 2, "wavecoder collect: select.size is too large"),
        (FileNotFoundError("no such file: x"), 2, "wavecoder collect: no such file: x"),
        (
            OSError(
                "s3://b/x: it refuses; set Y\nFailed to apply UDF transform after 1/1 attempts (total backoff 0.0s).\nTo "
                "change retry attempts, configure `ray.data`"
            ),
            2,
            "wavecoder collect: s3://b/x: it refuses; set Y (details",
        ),
        (RuntimeError("boom"), 1, "wavecoder collect: RuntimeError: boom"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "no space left on the disk of"),
        (OSError("Error writing bytes to file. Detail: No space left on device"), 2, "finished work is kept"),
    ],
)
def test_a_failure_is_one_line_and_its_trace_is_kept(capsys, tmp_path, error, code, line):
    found, lines = run(capsys, failing(error), "--config", DEMO, "--run-dir", str(tmp_path))
    assert found == code
    assert len(lines) == 1
    assert line in lines[0]
    assert type(error).__name__ in (tmp_path / "error.log").read_text()


def test_bars_of_libraries_stay_out_of_our_lines():
    script = "import ray_jobs.pipeline; from tqdm.auto import tqdm; print(list(tqdm([7], desc='Loading weights')))"
    environment = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=300)
    assert (found.stdout, found.stderr) == ("[7]\n", "")


def test_an_interrupt_says_how_to_go_on(capsys, tmp_path):
    code, lines = run(capsys, failing(KeyboardInterrupt()), "--config", DEMO, "--run-dir", str(tmp_path))
    assert (code, len(lines)) == (130, 1)
    assert "run the same command again" in lines[0]


WAITS = """
import asyncio, sys
from ray_jobs.cli import run_guarded

async def wait():
    print("begun", flush=True)
    await asyncio.sleep(60)

def work(opened):
    {begin}
    asyncio.run(wait())

sys.exit(run_guarded("judge", work))
"""
RAY = "from ray_jobs.cluster.connect import connect; from ray_jobs.run.config import RayConfig; connect(RayConfig(num_cpus=1, dashboard=False))"  # fmt: skip


@pytest.mark.parametrize("begin", ["pass", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
                                   pytest.param(RAY, marks=pytest.mark.slow)])  # fmt: skip
def test_sigterm_ends_a_job_as_an_interrupt_does(begin):
    command = [sys.executable, "-c", WAITS.format(begin=begin)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
        assert any(line == "begun\n" for line in job.stdout)
        job.terminate()
        said = [line for line in job.stderr.read().splitlines() if "started a local Ray" not in line]
    assert (job.returncode, said) == (130, ["wavecoder judge: stopped; run the same command again to go on"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--config", DEMO, "--set", "selct.size=3"], "unknown key selct"),
        (["--config", DEMO, "--run-dir", "/proc/nowhere"], "run_dir '/proc/nowhere' cannot be created"),
        (["--config", DEMO, "--run-dir", "xyz://bucket/run"], "run_dir: 'xyz://bucket/run' is no URL"),
    ],
)
def test_a_wrong_command_is_one_line(capsys, arguments, line):
    code, lines = run(capsys, failing(AssertionError("not reached")), *arguments)
    assert code == 2
    assert len(lines) == 1
    assert line in lines[0]


def test_the_cause_inside_rays_wrappers_is_what_counts():
    cause = ValueError("the real reason")
    inner = UserCodeException("UDF failed")
    inner.__cause__ = cause
    assert root_cause(RayTaskError("f", "trace", inner)) is cause
    assert root_cause(cause) is cause


def test_a_node_that_is_lost_under_a_job_is_told_with_what_to_do(capsys, tmp_path):
    """Ray Data raises the loss from an exception of its own, which says nothing."""

    def lose(*_):
        raise NodeDiedError("Owner's node has crashed.") from SystemException()

    code, lines = run(capsys, lose, "--config", DEMO, "--run-dir", str(tmp_path))
    assert code == 1
    assert lines[-1].startswith("wavecoder collect: NodeDiedError: ")
    assert "Owner's node has crashed.; run the same command again: finished work is kept (details: " in lines[-1]


@pytest.mark.parametrize("job", cli.JOBS)
def test_every_job_that_is_listed_begins(job):
    module = importlib.import_module(cli.ELSEWHERE.get(job, f"ray_jobs.{job}"))
    assert callable(module.main)
    assert job in {name for group in cli.GROUPS.values() for name in group}


def test_every_job_is_listed_and_an_unknown_one_refused(capsys):
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(job in shown for job in cli.JOBS)
    assert cli.main(["colect"]) == 2
    assert "there is no job 'colect'; did you mean collect?" in capsys.readouterr().err
    assert cli.main(["zzz"]) == 2
    assert "did you mean" not in capsys.readouterr().err
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wavecoder 0.")
    assert {job for jobs in cli.GROUPS.values() for job in jobs} == set(cli.JOBS)


def heavy_imports(*command_lines):
    """What each of the command lines imports of Ray and PyTorch in one process, and what they print."""
    program = (
        "import sys; from ray_jobs.cli import main\n"
        f"for line in {command_lines!r}:\n"
        "    try: main(line.split())\n"
        "    except SystemExit: pass\n"
        "    heavy = {'ray', 'torch', 'transformers'} & set(sys.modules)\n"
        "    if heavy: sys.exit(f'{line} imports {heavy}')\n"
        "sys.exit('nothing')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[-1], done.stdout


@pytest.mark.parametrize(
    "arguments",
    ["--version", "colect", "inspect collect --run-dir nowhere", "diff a b", "keys list --keys nowhere",
     f"inspect collect --config {DEMO} --run-dir nowhere"],
)  # fmt: skip
def test_what_only_looks_imports_neither_ray_nor_torch(arguments):
    heavy, shown = heavy_imports(arguments)
    assert heavy == "nothing"
    assert not set(shown) & set("\x1b\r█"), "nothing but text goes into a pipe"


def test_no_help_imports_ray_or_torch():
    heavy, shown = heavy_imports("--help", *[f"{job} --help" for job in cli.JOBS])
    assert heavy == "nothing"
    assert all(f"wavecoder {job}" in shown for job in cli.JOBS)
    assert not set(shown) & set("\x1b\r█")


@pytest.mark.parametrize(
    ("job", "setting"),
    [("collect", "collect.filters.max_code_chars"), ("embed", "embed.model"), ("select", "--embeddings"),
     ("select", "select.size (20000)"), ("generate", "generate.round_size"), ("train", "train.learning_rate"),
     ("train", "--ablate <task>"), ("evaluate", "--endpoint"), ("serve", "serve.port"), ("pipeline", "--dry-run"),
     ("plan", "--cluster"), ("mix", "mix.sources"), ("codeocean", "codeocean.verify.execute"),
     ("submit", "[OPTIONS] -- JOB [OPTIONS OF THE JOB]"), ("sandbox", "check"), ("reward", "serve"), ("keys", "revoke")],
)  # fmt: skip
def test_the_help_of_a_job_names_its_options_and_the_settings_of_its_stage(capsys, job, setting):
    with pytest.raises(SystemExit) as ended:
        cli.main([job, "--help"])
    assert ended.value.code == 0
    assert setting in capsys.readouterr().out


def test_a_run_that_was_begun_needs_no_recipe(capsys, tmp_path):
    speed = ["--set", "embed.actors=3"]
    assert run(capsys, lambda *_: None, "--config", DEMO, "--run-dir", str(tmp_path), "--set", "select.size=7")[0] == 0
    told = []
    code, _ = run(capsys, lambda config, _: told.append(config), "--run-dir", str(tmp_path), *speed)
    assert (code, told[0].select.size, told[0].embed.actors, told[0].run_dir) == (0, 7, 3, str(tmp_path))


def test_a_run_in_a_bucket_keeps_its_recipe_too(capsys, store):
    host, url = store.url.removeprefix("http://"), store.bucket().replace("s3://", "s3://me:secret@") + "/run"
    url += f"?scheme=http&endpoint_override={host}"
    code, lines = run(capsys, lambda *_: None, "--run-dir", url)
    assert code == 2 and "/run/config.yaml is not there: no job has begun" in lines[0]
    assert "secret" not in lines[0]
    assert run(capsys, lambda *_: None, "--config", DEMO, "--run-dir", url, "--set", "select.size=7")[0] == 0
    told = []
    assert run(capsys, lambda config, _: told.append(config), "--run-dir", url)[0] == 0
    assert (told[0].select.size, told[0].run_dir) == (7, url)
    code, lines = run(capsys, lambda *_: None, "--run-dir", url, "--set", "select.size=none")
    assert code == 2 and "secret" not in lines[0]


@pytest.mark.parametrize(("arguments", "words"), [([], "--config configs/demo.yaml"),
                                                  (["--run-dir", "nowhere"], "no job has begun there")])  # fmt: skip
def test_without_a_recipe_what_is_missing_is_said(capsys, arguments, words):
    code, lines = run(capsys, lambda *_: None, *arguments)
    assert (code, len(lines)) == (2, 1)
    assert words in lines[0]


def test_a_mistyped_option_is_refused_with_what_was_meant(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["embed", "--confg", DEMO])
    assert ended.value.code == 2
    assert "--config" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("job", ["sandbox", "reward", "submit", "evaluate"])
def test_every_command_refuses_what_it_does_not_know_in_one_line(capsys, job):
    with pytest.raises(SystemExit) as ended:
        cli.main([job, "--hepl"])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"wavecoder {job}: No such option: --hepl")
    assert line.endswith(f"`wavecoder {job} --help` lists the options")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-V"], "wavecoder: No such option: -V; `wavecoder --help` lists the options"),
        (["--verison"], "wavecoder: No such option: --verison (Possible options: --version)"),
        (["--json", "plan"], "options of a job come after it: `wavecoder plan --json`"),
        (["--run-dir", "runs/x", "inspect"], "options of a job come after it: `wavecoder inspect --run-dir runs/x`"),
        (["PLAN"], "did you mean plan?"),
        (["keys"], "wavecoder keys: Missing command: create, list or revoke; `wavecoder keys --help` lists"),
        (["reward"], "wavecoder reward: Missing command: serve; "),
        (["inspect", "colect"], "did you mean collect?"),
        (["keys", "create", "--keys", "k", "--name", "x", "--routes", "chta"], "did you mean chat?"),
        (["submit"], "after `--` there should be a job and its options; the jobs are pipeline, plan"),
    ],
)
def test_a_mistake_before_the_work_is_one_line_with_what_to_write(capsys, arguments, said):
    try:
        code = cli.main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "Value error" not in line


def test_how_many_without_of_what_says_what_is_missing(capsys):
    assert cli.main(["select", "--k", "5"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "name --embeddings FILE" in line and "select.size" in line


@pytest.mark.parametrize(
    ("line", "offered"),
    [("ins", "inspect"), ("inspect coll", "collect"), ("inspect --lang", "--language"), ("inspect --language py", "python"),
     ("keys rev", "revoke"), ("keys create --routes cha", "chat"), ("sandbox check --languages ru", "rust"),
     ("train --run", "--run-dir"), ("train --config configs/dem", DEMO), ("inspect --config configs/dem", DEMO)],
)  # fmt: skip
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_shell_completes_jobs_options_and_values(capsys, monkeypatch, line, offered, shell):
    words = ["wavecoder", *line.split()]
    monkeypatch.setenv("_WAVECODER_COMPLETE", f"complete_{shell}")
    for name, value in (("COMP_WORDS", "\n".join(words)), ("COMP_CWORD", str(len(words) - 1)),
                        ("_TYPER_COMPLETE_ARGS", " ".join(words))):  # fmt: skip
        monkeypatch.setenv(name, value)
    if shell == "zsh":
        monkeypatch.delenv("COMP_WORDS")
    with suppress(SystemExit):
        cli.main([])
    shown = capsys.readouterr().out.strip()
    assert shown.startswith(offered if shell == "bash" else f'_arguments \'*: :(("{offered}"')


def test_the_run_that_is_not_there_is_named_before_what_the_other_lacks(capsys, tmp_path):
    from ray_jobs.diff import main

    assert main([str(tmp_path), str(tmp_path / "other")]) == 2
    assert "there is no run directory" in capsys.readouterr().err
