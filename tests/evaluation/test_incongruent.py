"""Mixed clips: what they are made of, and who wins for recognisers that look at one sense only."""

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
from aver.evaluation.incongruent import (
    Incongruent,
    mix_clips,
    predict_incongruent,
    share_following,
)
from aver.models.snn_cross_modal.recognizer import SnnAudio, SnnVideo


def filmed(clip):
    """A clip with files that bear its name."""
    return replace(clip, video=Path(f"{clip.clip_id}.mp4"), sentence=clip.clip_id[-1])


CLIPS = [filmed(clip) for clip in planted_clips(speakers=5, takes=3)]
FOLLOWED = ("voice", "face", "neither")
TRAIN, VALIDATION, TEST = CLIPS[:24], CLIPS[24:36], CLIPS[36:]


class ByFile(PlantedSource):
    """Planted features of the file that the clip takes this modality from."""

    def get(self, clip, feature):
        path = clip.video if feature.modality == "video" else clip.audio or clip.video
        return super().get(replace(clip, clip_id=path.stem), feature)


def finished(kind, folder: Path) -> Evaluation:
    recognizer = tiny(kind, ByFile(4.0)).fit(TRAIN, VALIDATION)
    recognizer.save(folder / "folds" / "seed-0" / "fold-00" / "checkpoint")
    prediction = recognizer.predict([clip.without_labels() for clip in TEST])
    return Evaluation(
        system="tiny",
        corpus="planted",
        protocol="clean: one fold",
        classes=prediction.classes,
        **concatenate_folds([FoldPredictions(TEST, prediction)], prediction.classes),
    )


def test_a_mixed_clip_has_the_voice_of_one_and_the_face_of_another() -> None:
    mixed = mix_clips(TEST)
    assert len(mixed) == len(TEST) * 3  # every voice with the three other emotions
    for both, voice, face in mixed:
        assert both.audio == voice.video
        assert both.video == face.video
        assert voice.speaker == face.speaker
        assert voice.emotion != face.emotion
        assert voice.sentence == face.sentence
        assert both.emotion is None
    assert len({both.clip_id for both, _, _ in mixed}) == len(mixed)


@pytest.mark.parametrize(("kind", "winner"), [(SnnAudio, 0), (SnnVideo, 1)])
def test_a_unimodal_recognizer_follows_its_modality(kind, winner: int, tmp_path: Path) -> None:
    run = finished(kind, tmp_path)
    found = predict_incongruent(run, tmp_path, CLIPS, ByFile(4.0))
    shares = [share_following([found], what).value for what in FOLLOWED]
    assert set(found.speakers) == {clip.speaker for clip in TEST}
    assert shares[winner] > 0.75
    assert shares[1 - winner] < 0.2
    assert sum(shares) == pytest.approx(1)


def test_shares_by_hand() -> None:
    found = Incongruent(
        EMOTIONS,
        ("ann", "ann", "bob"),
        ("happy", "happy", "sad"),
        ("sad", "angry", "angry"),
        ("sad", "happy", "fearful"),
    )

    def shares(side, label=""):
        return [share_following([found], what, side, label).value for what in FOLLOWED]

    assert shares("any") == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert shares("voice", "happy") == [0.5, 0.5, 0.0]
    assert shares("face", "angry") == [0.5, 0.0, 0.5]
    assert np.isnan(shares("face", "fearful")).all()


def test_shares_are_kept_apart_by_speaker_and_pooled_over_seeds() -> None:
    one = Incongruent(EMOTIONS, ("ann", "bob"), ("happy",) * 2, ("sad",) * 2, ("happy", "sad"))
    two = replace(one, prediction=("happy", "angry"))
    sums = share_following([one, two], "voice")
    assert sums.speakers == ("ann", "bob")
    assert sums.by_speaker.tolist() == [1.0, 0.0]
    assert share_following([one, two], "face").value == 0.25
    assert share_following([one, two], "neither").value == 0.25


def test_clips_that_cannot_be_mixed_are_an_error(tmp_path: Path) -> None:
    run = finished(SnnAudio, tmp_path)
    with pytest.raises(CheckpointError, match="does not hold"):
        predict_incongruent(run, tmp_path, CLIPS[:-1], ByFile())
    blind = [replace(clip, video=None, audio=clip.video) for clip in CLIPS]
    with pytest.raises(SettingsError, match="corpus with video"):
        predict_incongruent(run, tmp_path, blind, ByFile())
