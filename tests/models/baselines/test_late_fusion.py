"""Late fusion: members are trained separately; their probabilities are averaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from planted_statistics import PlantedStatistics

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.models.baselines.functionals import StatisticsLogistic, StatisticsSettings
from aver.models.baselines.late_fusion import LateFusion, LateFusionSettings


def trained(source: PlantedStatistics, **settings: object) -> tuple[LateFusion, list[Clip]]:
    recognizer = LateFusion(LateFusionSettings(**settings), source)  # type: ignore[arg-type]
    recognizer.fit(source.clips(60, "train"), source.clips(30, "validation"))
    return recognizer, source.clips(60, "test")


def test_predicts_the_mean_of_unimodal_recognizers() -> None:
    source = PlantedStatistics(spread=1.0)
    fused, clips = trained(source)
    alone = [
        StatisticsLogistic(StatisticsSettings(modalities=(modality,)), source)
        .fit(source.clips(60, "train"), source.clips(30, "validation"))
        .predict_proba(clips)
        for modality in ("video", "audio")
    ]
    prediction = fused.predict(clips)
    assert np.allclose(prediction.probabilities, np.mean(alone, axis=0))
    assert np.allclose(prediction.by_modality["video"], alone[0])
    assert list(fused.features) == ["video", "audio"]


def test_without_refit_no_member_trains_on_validation_clips() -> None:
    settings = LateFusionSettings(overrides={"Cs": [0.3]})
    source = PlantedStatistics()
    assert LateFusion(settings, source).refits
    plain = LateFusion(LateFusion.without_refit(settings), source)
    assert not plain.refits
    assert [member.settings.refit for member in plain.members.values()] == [False, False]
    assert [member.settings.Cs for member in plain.members.values()] == [(0.3,), (0.3,)]
    card = plain.fit(source.clips(60, "train"), source.clips(30, "validation")).card
    assert list(card["fitted_on"].values()) == [["train"], ["train"]]


def test_missing_modalities() -> None:
    source = PlantedStatistics()
    fused, clips = trained(source)
    complete = fused.predict(clips)
    source.lacking = {clips[0].clip_id: ("video",), clips[1].clip_id: ("video", "audio")}
    prediction = fused.predict(clips)
    assert np.array_equal(prediction.probabilities[0], complete.by_modality["audio"][0])
    assert prediction.flags[0] == ("no video",)
    assert np.isnan(prediction.probabilities[1]).all()
    assert prediction.flags[1] == ("no video", "no audio", "no usable modality")


def test_any_preset_with_overrides_and_checkpoint_without_the_preset(tmp_path: Path) -> None:
    preset = tmp_path / "mine.yaml"
    preset.write_text("model: statistics-svm\nsummary: mine\nsettings: {strengths: [1.0, 2.0]}\n")
    source = PlantedStatistics()
    fused, clips = trained(
        source, preset=str(preset), modalities=("audio", "action_units"), overrides={"Cs": [3.0]}
    )
    assert fused.members["action_units"].settings.Cs == (3.0,)
    fused.save(tmp_path / "run")
    preset.unlink()
    again = LateFusion.load(tmp_path / "run", source)
    assert np.array_equal(again.predict_proba(clips), fused.predict_proba(clips))
    # The checkpoint keeps the file's name: whose folder it lay in is nobody's business.
    card = json.loads(json.dumps(fused.card))
    card["settings"]["preset"] = "mine.yaml"
    assert again.card == card
    assert again.card["parameters"] > 0


def test_a_mixed_checkpoint_is_refused(tmp_path: Path) -> None:
    source = PlantedStatistics()
    fused, _ = trained(source)
    fused.save(tmp_path / "run")
    two = StatisticsLogistic(StatisticsSettings(modalities=("audio",)), source)
    two.fit(source.clips(20, "two", classes=("happy", "sad")), [])
    two.save(tmp_path / "run" / "members" / "audio")
    with pytest.raises(CheckpointError, match="other classes"):
        LateFusion.load(tmp_path / "run", source)


def test_untrained_recognizers_and_invalid_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match="not been trained"):
        LateFusion(LateFusionSettings(), PlantedStatistics()).predict([])
    with pytest.raises(SettingsError, match="modalities"):
        LateFusionSettings(modalities=())
