"""What the shell offers behind a job's name: the job's own options and values.

The shell calls `wavecoder` with the line in the environment. The job is taken out of that line, so that the rest is
completed by the job's own command, as `python -m ray_jobs.<job>` would be.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container

ASKED = "_WAVECODER_COMPLETE"
"""Variable that the shell sets when it asks."""


def take_job_out(jobs: Container[str]) -> tuple[str, list[str]]:
    """Job of the line that is being completed, and the words behind it; the line goes on without the job.

    Returns:
        An empty name where no job has been written yet.
    """
    if "COMP_WORDS" in os.environ:  # bash: words by lines, and the number of the one that is being written
        words, number = os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"])
        if number < 2 or words[1] not in jobs:
            return "", []
        os.environ |= {"COMP_WORDS": "\n".join([words[0], *words[2:]]), "COMP_CWORD": str(number - 1)}
        return words[1], words[2:]
    line = re.fullmatch(r"(\S+)\s+(\S+)(\s.*)", os.environ.get("_TYPER_COMPLETE_ARGS", ""), re.DOTALL)
    if line is None or line[2] not in jobs:
        return "", []
    os.environ["_TYPER_COMPLETE_ARGS"] = line[1] + line[3]
    return line[2], line[3].split()
