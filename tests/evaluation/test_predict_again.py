"""Trained recognisers answer again with the sound of another moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_source import EMOTIONS, PlantedSource, planted_clips
from tiny import tiny

from aver.errors import CheckpointError, SettingsError
from aver.evaluation.combine import FoldPredictions, concatenate_folds
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.metrics import accuracy
from aver.evaluation.predict_again import shift_audio
from aver.features.feature import FeatureRecord
from aver.models.baselines.majority import Majority
from aver.models.temporal_aggregation.recognizer import TemporalAggregation

CLIPS = planted_clips(speakers=8, takes=4)
TRAIN, VALIDATION, TEST = CLIPS[:80], CLIPS[80:96], CLIPS[96:]


class AudioOfTwoHalves(PlantedSource):
    """Eight seconds; the class is heard from 2 to 6 s, the next class from 6 s on.

    Pictures are taken from 3.4 to 4.6 s and show nothing of the class.
    """

    def record(self, feature, place, chance):
        if feature.modality == "video":
            blank = PlantedSource(strength=0.0).record(feature, place, chance)
            count = len(blank.arrays["times_s"])
            times_s = np.linspace(3.4, 4.6, count).astype(np.float32)
            return FeatureRecord({**blank.arrays, "times_s": times_s})
        settings = feature.settings()
        bands, turn = settings["band_count"], round(6.0 / settings["grid_s"])
        values = chance.normal(0, 1, (1 + round(8.0 / settings["grid_s"]), bands))
        for rows, heard in ((slice(None, turn), place), (slice(turn, None), (place + 1) % 4)):
            values[rows, heard * bands // 4 : (heard + 1) * bands // 4] += 3.0
        return FeatureRecord({"columns": values.astype(np.float16), "duration_s": np.array([8.0])})


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Evaluation, Path]:
    folder = tmp_path_factory.mktemp("run")
    recognizer = tiny(TemporalAggregation, AudioOfTwoHalves()).fit(TRAIN, VALIDATION)
    recognizer.save(folder / "folds" / "seed-0" / "fold-00" / "checkpoint")
    prediction = recognizer.predict([clip.without_labels() for clip in TEST])
    run = Evaluation(
        system="tiny",
        corpus="planted",
        protocol="clean: one fold",
        classes=prediction.classes,
        **concatenate_folds([FoldPredictions(TEST, prediction)], prediction.classes),
    )
    return run, folder


def test_an_offset_of_zero_is_the_run_and_a_long_one_reads_other_audio(finished) -> None:
    run, folder = finished
    assert set(run.classes) == set(EMOTIONS)
    found = shift_audio(run, folder, TEST, AudioOfTwoHalves(), (-1.0, 0.0, 3.2))
    assert list(found) == [-1.0, 0.0, 3.2]
    np.testing.assert_array_equal(found[0.0].probabilities, run.probabilities)
    assert accuracy(run).value > 0.8  # chance 0.25
    assert accuracy(found[-1.0]).value > 0.8  # still within the class's own sound
    assert accuracy(found[3.2]).value < 0.1  # the next class's
    assert found[3.2].clip_ids == run.clip_ids
    assert found[-1.0].system == "tiny, audio -1 s"


def test_missing_clips_checkpoints_and_offsets_are_errors(finished, tmp_path) -> None:
    run, folder = finished
    with pytest.raises(CheckpointError, match="which the corpus does not hold"):
        shift_audio(run, folder, TEST[1:], AudioOfTwoHalves())
    with pytest.raises(CheckpointError, match="There is no run at"):
        shift_audio(run, tmp_path, TEST, AudioOfTwoHalves())
    place = tmp_path / "folds" / "seed-0" / "fold-00" / "checkpoint"
    tiny(Majority, AudioOfTwoHalves()).fit(TRAIN, VALIDATION).save(place)
    with pytest.raises(SettingsError, match="majority does not read audio around"):
        shift_audio(replace(run), tmp_path, TEST, AudioOfTwoHalves())
