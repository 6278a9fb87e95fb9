"""MRPN needs training and validation clips that have all modalities."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planted_source import PlantedSource, planted_clips
from tiny import tiny

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature, FeatureRecord
from aver.models.mrpn.recognizer import MRPN
from aver.training.settings import TrainingSettings

CLIPS = planted_clips(speakers=4, takes=1)
TRAIN, VALIDATION = CLIPS[:12], CLIPS[12:]
ONE_EPOCH = TrainingSettings(epochs=1, batch_size=8)


class Lacking(PlantedSource):
    """Every second clip of some lacks sound, and the others lack the picture."""

    def __init__(self, some: list[Clip]) -> None:
        super().__init__()
        self.lacks = {clip.clip_id: ("audio", "video")[n % 2] for n, clip in enumerate(some)}

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        if self.lacks.get(clip.clip_id) == feature.modality:
            return FeatureRecord.absent(f"no {feature.modality}")
        return super().get(clip, feature)


def recognizer(lacking: list[Clip]) -> MRPN:
    source = Lacking(lacking)
    return MRPN(replace(tiny(MRPN, source).settings, training=ONE_EPOCH), source)


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        (TRAIN, r"None of the 12 training clips.*audio is missing in 6"),
        (VALIDATION, r"None of the 4 validation clips.*audio is missing in 2"),
    ],
)
def test_no_complete_clip_is_an_error(lacking: list[Clip], words: str) -> None:
    with pytest.raises(MissingModalityError, match=words):
        recognizer(lacking).fit(TRAIN, VALIDATION)


def test_one_complete_clip_is_enough() -> None:
    found = recognizer(VALIDATION[1:]).fit(TRAIN, VALIDATION)
    assert found.history is not None
    assert found.history.epochs[0]["validation_loss"] > 0
