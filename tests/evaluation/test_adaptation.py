"""Adapted runs say what they use, find other folds' answers never, and are not paired with others.

Planted: speakers differ far more than emotions do, so that only an adapted system can tell the
emotions of unseen speakers apart.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from drawn_runs import drawn_run

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.evaluation.experiment import Experiment, ExperimentResult, run_experiment
from aver.evaluation.paired import compare
from aver.evaluation.predict_again import adapted_source
from aver.features.face_functionals import FaceFunctionals
from aver.features.feature import Feature, FeatureRecord
from aver.features.speaker_adaptation import ADAPTED
from aver.features.store import FeatureStore
from aver.reports.run_summary import verdict_in_words
from aver.splits import make_split
from tone_corpus import write_tone_corpus

EMOTIONS = ("neutral", "happy", "sad")


def _with_units(clips: tuple[Clip, ...], table: Path) -> tuple[Clip, ...]:
    rng = np.random.default_rng(0)
    away = {speaker: rng.normal(0, 100, 2) for speaker in sorted({str(c.speaker) for c in clips})}
    lines = ["clip,AU01_r,AU02_r"]
    for clip in clips:
        place = sorted({str(c.emotion) for c in clips}).index(str(clip.emotion))
        one, two = np.eye(3)[place][:2] * 4 + away[str(clip.speaker)] + rng.normal(0, 0.5, 2)
        lines.append(f"{clip.clip_id},{one},{two}")
    table.write_text("\n".join(lines) + "\n")
    return tuple(replace(clip, action_units=table, action_units_row=clip.clip_id) for clip in clips)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExperimentResult]:
    folder = tmp_path_factory.mktemp("adapted")
    corpus = write_tone_corpus(folder / "tones", speakers=6, takes=4)
    corpus = replace(corpus, clips=_with_units(corpus.clips, folder / "units.csv"))
    split = make_split(corpus, "speaker-kfold", folds=3)
    plain = Experiment(corpus, split, "statistics-logistic", {"modalities": ["action_units"]})
    store = FeatureStore(folder / "cache")
    return {
        name: run_experiment(replace(plain, adapt=name), folder / f"run-{name}", store=store)
        for name in ("", "speaker")
    }


def test_adaptation_removes_differences_between_speakers(runs: dict[str, ExperimentResult]) -> None:
    assert runs["speaker"].evaluation.correct.mean() > 0.9
    assert runs[""].evaluation.correct.mean() < 0.7


def test_title_protocol_card_and_report_name_the_adaptation(
    runs: dict[str, ExperimentResult],
) -> None:
    adapted, plain = runs["speaker"].evaluation, runs[""].evaluation
    assert adapted.system.endswith("adapted to speakers")
    assert ADAPTED in adapted.protocol
    assert any(ADAPTED in sentence for sentence in verdict_in_words(adapted))
    card = json.loads(next(runs["speaker"].folder.rglob("card.json")).read_text())
    assert (card["adapt"], card["adaptation"]) == ("speaker", ADAPTED)
    for said in (plain.system, plain.protocol, *verdict_in_words(plain)):
        assert "adapt" not in said
        assert ADAPTED not in said


def test_adapted_and_plain_runs_are_not_paired(runs: dict[str, ExperimentResult]) -> None:
    with pytest.raises(SettingsError, match=ADAPTED):
        compare(runs["speaker"].evaluation, runs[""].evaluation)


def test_folds_with_and_without_adaptation_have_other_identities(
    runs: dict[str, ExperimentResult],
) -> None:
    keys = {
        name: {json.loads(p.read_text())["key"] for p in run.folder.rglob("fold.json")}
        for name, run in runs.items()
    }
    assert not keys[""] & keys["speaker"]


def test_an_unknown_adaptation_is_an_error(runs: dict[str, ExperimentResult]) -> None:
    with pytest.raises(SettingsError, match="no adaptation 'room'"):
        Experiment(None, None, "majority", adapt="room")  # type: ignore[arg-type]


def test_an_adaptation_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=6, takes=1)
    split = make_split(corpus, "speaker-kfold", folds=3)
    only_crops = Experiment(
        corpus, split, "temporal-aggregation-compact", {"modalities": ["video"]}, adapt="speaker"
    )
    with pytest.raises(SettingsError, match="does not change face crops"):
        run_experiment(only_crops, tmp_path / "run", store=FeatureStore(tmp_path / "cache"))


def test_a_baseline_of_face_crops_runs_beside_an_adapted_system(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=6, takes=1)
    split = make_split(corpus, "speaker-kfold", folds=3)
    system = Experiment(
        corpus, split, "temporal-aggregation-compact", {"modalities": ["video"]}, adapt="speaker"
    )
    # The tones have no picture, so that training ends; what matters is what stood before it.
    with pytest.raises(MissingModalityError):
        run_experiment(
            replace(system, is_baseline=True),
            tmp_path / "run",
            store=FeatureStore(tmp_path / "cache"),
        )
    written = yaml.safe_load((tmp_path / "run" / "settings.yaml").read_text())
    assert written["adapt"] == "speaker"
    assert "face crops are passed on unchanged" in written["remarks"][0]


class _FewFaces:
    """Statistics of faces of the first two clips; the others have none."""

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        if clip.clip_id > "c1":
            return FeatureRecord.absent("no face")
        return FeatureRecord({"statistics": np.arange(2, dtype=np.float32)})


def test_too_few_faces_in_degraded_media_count_as_missing() -> None:
    clips = [Clip(f"c{number}", "a", None) for number in range(6)]
    adapted = replace(drawn_run(), facts={"adapt": "speaker"})
    source = adapted_source(adapted, _FewFaces(), clips)
    assert source.get(clips[0], FaceFunctionals()).missing == "too few clips to adapt video to"
    assert source.get(clips[5], FaceFunctionals()).missing == "no face"
    planted = _FewFaces()
    assert adapted_source(drawn_run(), planted, clips) is planted
