"""Records of fitting and labels in run folders."""

import json

import pytest

from aver.audit import audit_run
from aver.cli.main import main
from aver.errors import SplitError

FOLD = {"train": ["01-01-01"], "validation": ["02-01-01"], "test": ["03-01-01"]}


def write_run(folder, card, *, leaks=(), speakers=None):
    place = folder / "folds" / "seed-0" / "fold-00"
    place.mkdir(parents=True)
    (folder / "settings.yaml").write_text(json.dumps({"leaks": list(leaks)}))
    (folder / "split.json").write_text(
        json.dumps({"format": "aver-split-1", "leaks": [], "folds": [FOLD]})
    )
    (place / "fold.json").write_text(json.dumps({"fold": 0, "card": card, **(speakers or {})}))
    return folder


def kinds(report):
    return {finding.kind for finding in report.leaks}


CLEAN = {
    "fitted_on": {"scaler": ["train"]},
    "labels_used": {"weights": ["train"], "epoch": ["validation"]},
}


def test_a_clean_record_gives_no_leak(tmp_path):
    report = audit_run(write_run(tmp_path, CLEAN))
    assert report.leaks == ()
    assert "1 record" in report.checked


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"fitted_on": {"scaler": ["train", "validation"]}}, "fitted-beyond-training"),
        ({"fitted_on": {"codebook": ["01-01-01", "03-01-01"]}}, "fitted-beyond-training"),
        ({"labels_used": {"edges": ["train", "test"]}}, "test-labels-used"),
        ({"labels_used": {"neuron labels": ["03-01-01"]}}, "test-labels-used"),
        ({"labels_used": {"neuron labels": ["a clip of no subset"]}}, "test-labels-used"),
    ],
)
def test_leaks_in_a_record_are_found(tmp_path, change, kind):
    folder = write_run(tmp_path, {**CLEAN, **change})
    (leak,) = audit_run(folder).leaks
    assert (leak.kind, leak.fold) == (kind, 1)
    assert main(["audit", str(folder)]) == 1


def test_validation_clips_used_for_the_weights_count_as_training(tmp_path):
    places = ["train", "validation"]
    learned = {"fitted_on": {"scaler": places}, "labels_used": {"weights": places}}
    assert audit_run(write_run(tmp_path / "clean", learned)).leaks == ()
    learned["fitted_on"] = {"scaler": [*places, "test"]}
    (leak,) = audit_run(write_run(tmp_path / "leak", learned)).leaks
    assert (leak.kind, leak.subsets) == ("fitted-beyond-training", ("test",))


def test_a_declared_leak_of_the_protocol_is_a_leak(tmp_path):
    report = audit_run(write_run(tmp_path, CLEAN, leaks=["edges are made from test labels."]))
    assert kinds(report) == {"leaking-protocol"}
    assert report.leaks[0].declared


def test_recorded_speakers_are_compared_if_names_have_none(tmp_path):
    speakers = {"train_speakers": ["a", "b"], "test_speakers": ["b"]}
    report = audit_run(write_run(tmp_path, CLEAN, speakers=speakers))
    assert kinds(report) == {"shared-speakers"}


def test_a_training_on_one_fold_of_many_is_audited(tmp_path):
    folder = write_run(tmp_path, {**CLEAN, "fitted_on": {"scaler": ["03-01-01"]}})
    record = folder / "folds" / "seed-0" / "fold-00" / "fold.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "fold": 4}))
    assert kinds(audit_run(folder)) == {"fitted-beyond-training"}


def test_a_run_without_records_gets_a_note(tmp_path):
    report = audit_run(write_run(tmp_path, {"model": "x"}))
    assert "no-record" in {finding.kind for finding in report.notes}
    assert report.exit_code == 0


def test_errors_name_the_file(tmp_path):
    with pytest.raises(SplitError, match="not a run folder"):
        audit_run(tmp_path)
    folder = write_run(tmp_path / "run", {"fitted_on": "everything"})
    with pytest.raises(SplitError, match=r"fold.json: 'fitted_on' must hold lists"):
        audit_run(folder)
