"""The access log outlives what happens to its folder; requests do not fail by it."""

import logging
import shutil

import pytest

from serve.gateway.access_log import Traffic
from serve.gateway.settings import GatewayConfig
from tests.serve.stub import until


def test_a_folder_that_is_deleted_is_made_anew(gateway, tmp_path):
    file = tmp_path / "logs" / "access.jsonl"
    running = gateway(access_log=str(file))
    assert running.chat().status_code == 200
    until(lambda: file.read_text().count("\n") == 1)
    shutil.rmtree(file.parent)
    for count in (1, 2):
        assert running.chat().status_code == 200
        until(lambda count=count: file.exists() and file.read_text().count("\n") == count)


def test_a_log_that_cannot_be_written_is_told_once(gateway, tmp_path, caplog):
    file = tmp_path / "logs" / "access.jsonl"
    file.parent.mkdir()
    running = gateway(access_log=str(file))
    shutil.rmtree(file.parent)
    file.parent.write_text("a file where the folder was")
    with caplog.at_level(logging.ERROR):
        assert [running.chat().status_code for _ in range(2)] == [200, 200]
        until(lambda: "cannot be written" in caplog.text)
    assert caplog.text.count("cannot be written") == 1


def test_a_log_that_cannot_be_opened_is_one_line_with_its_setting(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OSError, match=r"^serve.gateway.access_log: .*access.jsonl cannot be written \(.*\); name another$"
    ):
        Traffic(GatewayConfig(access_log=str(tmp_path / "file" / "access.jsonl")))
