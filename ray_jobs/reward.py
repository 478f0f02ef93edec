"""`wavecoder reward serve`: the oracle as a reward for trainers, on the loopback address, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import sys

from pydantic import ValidationError

from eval.reward.server import RewardServer, one_key
from eval.reward.settings import RewardConfig
from eval.reward.workers import Workers
from eval.sandbox.run import isolation
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import Options, option, parse_action
from serve.gateway.server import allow_open_files, server_for
from serve.gateway.settings import GatewayConfig
from serve.settings import check_port_free

HOST, PORT, KEY = "127.0.0.1", 8900, "WAVECODER_REWARD_KEY"
DRAIN_S = 30


def serve(config: RewardConfig, port: int, key: str) -> None:
    """Serve until SIGINT or SIGTERM; answers under way may still end.

    Raises:
        PermissionError: this machine offers no isolation.
        OSError: the port is taken.
    """
    isolation()
    check_port_free(HOST, port, "--port")
    workers = Workers(config)
    patience = GatewayConfig(max_body_bytes=config.max_body_mb * 2**20, drain_s=DRAIN_S)
    allow_open_files(patience)
    server = server_for(RewardServer(workers, one_key(key)).app(), HOST, port, patience)
    print(f"rewards at http://{HOST}:{port} (/reward, /run_code, /verify); Ctrl-C ends it", file=sys.stderr)
    server.run()


def chosen_key() -> str:
    """The key of the environment, or a new one, which is shown."""
    key = os.environ.get(KEY, "")
    if not key:
        key = secrets.token_urlsafe(32)
        print(f"{KEY} is not set, so a key was made; it is shown only now:\n{key}", file=sys.stderr)
    return key


def _serving() -> Options:
    limits = {name: option((float if field.annotation is float else int) | None, str(field.description), metavar="N")
              for name, field in RewardConfig.model_fields.items()}  # fmt: skip
    return {"port": option(int, f"of {HOST}", PORT, metavar="N")} | limits


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    what = f"{JOBS['reward']}. The key is that of {KEY}, or is made and shown."
    options = parse_action("reward", what, {"serve": ("answer until Ctrl-C", _serving)}, arguments)

    def work(_: object) -> None:
        given = {name: getattr(options, name) for name in RewardConfig.model_fields}
        try:
            config = RewardConfig(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            said = [f"--{str(each['loc'][0]).replace('_', '-')}: {each['msg']}" for each in error.errors()]
            raise ValueError("; ".join(said)) from None
        serve(config, options.port, chosen_key())

    return run_guarded("reward", work)


if __name__ == "__main__":
    sys.exit(main())
