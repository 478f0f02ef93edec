"""Checkpoints that a failing disk or a full one leaves behind."""

import pytest

from tests.training.test_step import load, prepared, save


@pytest.mark.parametrize(("file", "cut"), [
    ("steps.json", None), ("steps.json", 0.5), ("steps.json", 0.0), ("__0_0.distcp", None), ("__0_0.distcp", 0.5),
    (".metadata", None), (".metadata", 0.5),
])  # fmt: skip
def test_checkpoint_whose_files_are_missing_or_cut_off_is_one_clear_line(model_folder, rows, tmp_path, file, cut):
    config, _, examples, learner, optimizer = prepared(model_folder, rows)
    save(tmp_path, learner, optimizer, config, examples, [])
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).unlink()
    if cut is not None:
        (tmp_path / file).write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(ValueError, match="^the checkpoint in .* is damaged .*; delete the folder of all") as damaged:
        load(tmp_path, learner, optimizer, config, examples)
    assert "\n" not in str(damaged.value)
