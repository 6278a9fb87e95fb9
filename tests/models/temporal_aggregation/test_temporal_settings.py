"""Settings of temporal aggregation: the paper's values, and what is out of range."""

from __future__ import annotations

import math

import pytest

from aver.errors import SettingsError
from aver.models.base.presets import load_preset
from aver.models.temporal_aggregation.recognizer import TemporalAggregation
from aver.models.temporal_aggregation.settings import (
    SegmentBranchSettings,
    TemporalAggregationSettings,
)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"segments": 0}, "segments"), ({"modalities": ("action_units",)}, "modalities"),
        ({"modalities": ()}, "modalities"), ({"window_s": 0.0}, "window_s"),
        ({"channels": ()}, "channels"), ({"modality_dropout": 1.0}, "modality_dropout"),
        ({"branches": {"action_units": SegmentBranchSettings()}}, "branches"),
        ({"weights": "sharde"}, "weights"), ({"image_feature": "crops"}, "image_feature"),
        ({"standardize_audio": "test"}, "standardize_audio"), ({"window_s": math.nan}, "window_s"),
        ({"offset_s": math.inf}, "offset_s"), ({"dropout": math.nan}, "dropout"),
        ({"tta": -1}, "tta"), ({"asynchrony_s": -0.1}, "asynchrony_s"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(wrong, words):
    with pytest.raises(SettingsError, match=words):
        TemporalAggregationSettings(**wrong)


def test_an_unknown_extractor_is_refused():
    with pytest.raises(SettingsError, match=r"extractor.* one of resnet18, .*not 'gradient'"):
        SegmentBranchSettings(extractor="gradient")


def test_weights_for_another_extractor_than_a_resnet_are_refused():
    with pytest.raises(SettingsError, match="for the extractor resnet18, not for hog"):
        SegmentBranchSettings(extractor="hog", pretrained="faces-fer2013")


def test_the_paper_preset_holds_the_papers_values():
    model, settings = load_preset("temporal-aggregation-paper")
    assert model is TemporalAggregation
    images = {**TemporalAggregationSettings().images, "rate_hz": 30.0}
    assert settings == TemporalAggregationSettings(needs_speech=False, images=images)
    assert (settings.segments, settings.window_s, settings.asynchrony_s) == (10, 1.28, 0.01)
    assert (settings.band_count, settings.column_count) == (192, 120)
    assert settings.images["size_px"] == 224
    training = settings.training
    assert (training.optimizer, training.momentum, training.learning_rate) == ("sgd", 0.9, 1e-3)
    assert (training.schedule, training.divide_every_epochs, training.batch_size) == (
        "step",
        50,
        16,
    )
    compact = load_preset("temporal-aggregation-compact")[1]
    assert [2 * c for c in compact.channels] == list(settings.channels)
    assert compact.images["size_px"] == 64
    assert (compact.band_count, compact.column_count) == (96, 60)
