"""A run is resumed and found again by its identity, and never mixed with another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aver.errors import SettingsError
from aver.evaluation.run import STARTED_NAME, Run

IDENTITY = {"settings": {"hidden": 8}, "seed": 0}


def started(folder: Path, **changes: object) -> Run:
    run = Run(folder, {**IDENTITY, **changes}, "done.json")
    assert not run.start()
    return run


def test_a_run_is_finished_by_its_result_and_known_by_its_identity(tmp_path: Path) -> None:
    run = started(tmp_path)
    assert not run.is_finished()
    (tmp_path / "done.json").write_text("{}")
    again = Run(tmp_path, {"seed": 0, "settings": {"hidden": 8}}, "done.json")
    assert run.is_finished()
    assert again.start()
    assert again.key == run.key
    assert Run.below(tmp_path, run.identity).folder == Run.below(tmp_path, again.identity).folder


@pytest.mark.parametrize("kept", ["member/resume.ckpt", "done.json"])
def test_another_run_is_refused_and_the_difference_named(tmp_path: Path, kept: str) -> None:
    started(tmp_path)
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_text("{}")
    before = (tmp_path / STARTED_NAME).read_bytes()
    for changes, named in (({"seed": 1}, "other seed. Choose"), ({"data": "x"}, "other data")):
        other = Run(tmp_path, {**IDENTITY, **changes}, "done.json")
        with pytest.raises(SettingsError, match=named):
            other.is_finished()
        with pytest.raises(SettingsError, match="another folder with --out"):
            other.start()
    assert (tmp_path / STARTED_NAME).read_bytes() == before


def test_settings_may_change_after_nothing_was_trained(tmp_path: Path) -> None:
    started(tmp_path)
    other = Run(tmp_path, {**IDENTITY, "seed": 1}, "done.json")
    assert not other.is_finished()
    assert not other.start()
    (tmp_path / "done.json").write_text("{}")
    assert other.is_finished()
    with pytest.raises(SettingsError, match="other seed"):
        Run(tmp_path, IDENTITY, "done.json").start()


def test_loggers_may_change_at_any_time(tmp_path: Path) -> None:
    run = started(tmp_path, settings={"hidden": 8, "training": {"loggers": ["mlflow"]}})
    (tmp_path / "done.json").write_text("{}")
    other = Run(tmp_path, {**IDENTITY, "settings": {"hidden": 8, "training": {}}}, "done.json")
    assert other.start()
    assert other.key == run.key


def test_a_state_is_kept_for_its_own_run_only(tmp_path: Path) -> None:
    state = tmp_path / "member" / "resume.ckpt"
    state.parent.mkdir()
    state.write_bytes(b"of nobody knows whom")
    run = started(tmp_path)
    assert not state.exists()
    state.write_bytes(b"of this run")
    assert not run.start()
    assert state.exists()
    run.finish()
    assert not state.exists()


def test_a_result_without_a_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "done.json").write_text("{}")
    with pytest.raises(SettingsError, match="without a record of its settings and data"):
        Run(tmp_path, IDENTITY, "done.json").start()


def test_a_run_that_replaces_starts_anew(tmp_path: Path) -> None:
    started(tmp_path)
    (tmp_path / "done.json").write_text("{}")
    other = Run(tmp_path, {**IDENTITY, "seed": 1}, "done.json", replaces=True)
    assert not other.is_finished()
    assert not other.start()
    assert not (tmp_path / "done.json").exists()
    assert not Run(tmp_path, other.identity, "done.json").start()


def test_records_of_version_0_1(tmp_path: Path) -> None:
    """A pretraining recorded its values, a fold one hash that cannot be computed any more."""
    recorded = {
        "settings": {"standardise": "clip"},  # codespell:ignore
        "seed": 0,
        "pictures": "abc",
    }
    (tmp_path / STARTED_NAME).write_text(json.dumps(recorded))
    identity = {"settings": {"standardize": "clip"}, "seed": 0, "images": "abc"}
    assert not Run(tmp_path, identity, "done.json").start()
    with pytest.raises(SettingsError, match="other seed"):
        Run(tmp_path, {**identity, "seed": 1}, "done.json").start()
    (tmp_path / STARTED_NAME).write_text(json.dumps({"key": "0123456789abcdef"}))
    with pytest.raises(SettingsError, match=r"version 0.1, which 'aver report'"):
        Run(tmp_path, identity, "done.json").start()
