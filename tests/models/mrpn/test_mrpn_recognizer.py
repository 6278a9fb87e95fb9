"""MRPN as a recognizer: networks, modalities, targets, missing modalities, checkpoints."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_source import PlantedSource, planted_clips

from aver.corpora.clip import Clip
from aver.errors import (
    CheckpointError,
    LabelError,
    MissingModalityError,
    SettingsError,
    TrainingInterrupted,
)
from aver.models.layers.augmentation import (
    ImageAugmentationSettings,
    SpectrogramAugmentationSettings,
)
from aver.models.mrpn.recognizer import MRPN, MRPNSettings
from aver.models.mrpn.settings import BranchSettings
from aver.training.settings import TrainingSettings

CLIPS = planted_clips(speakers=10, takes=2)
TRAIN, VALIDATION, TEST = CLIPS[:48], CLIPS[48:64], CLIPS[64:]
BRANCHES = {
    "video": BranchSettings(
        feature="face-crops", feature_settings={"size_px": 16},
        width=4, blocks=1, gray=True, standardize="clip", size=8,
        image_augmentation=ImageAugmentationSettings(rotation_deg=5, shift=0.02),
    ),
    "audio": BranchSettings(
        feature="spectrogram-segments", feature_settings={"band_count": 16, "column_count": 10},
        width=4, blocks=1, standardize="train", size=8, frames=4, aggregator="statistics",
        spectrogram_augmentation=SpectrogramAugmentationSettings(band_share=0.1),
    ),
    "action_units": BranchSettings(
        feature="action-units", extractor="identity", standardize="train",
        aggregator="transformer", size=8,
    ),
}  # fmt: skip
TRAINING = TrainingSettings(epochs=12, patience=12, batch_size=16, learning_rate=1e-2)
SETTINGS = MRPNSettings(branches=BRANCHES, hidden=16, training=TRAINING)


def accuracy(prediction, clips):
    return np.mean(
        [label == clip.emotion for label, clip in zip(prediction.labels, clips, strict=True)]
    )


def unlabelled(clips):
    return [clip.without_labels() for clip in clips]


@pytest.mark.parametrize("network", ["N0", "N1", "N2"])
def test_each_network_learns_from_images_and_audio(network):
    recognizer = MRPN(replace(SETTINGS, network=network), PlantedSource(3.0))
    prediction = recognizer.fit(TRAIN, VALIDATION).predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6  # chance 0.25
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert set(prediction.by_modality) == {"video", "audio"}
    assert set(prediction.embeddings) == {"video", "audio", "fused"}
    assert prediction.embeddings["video"].shape == (len(TEST), 8)
    assert prediction.embeddings["audio"].shape == (len(TEST), 64)  # mean, deviation of 32


def test_refit_trains_on_the_validation_clips_too():
    # One class is in the validation clips alone: only a network that learnt from them knows it.
    train = [clip for clip in TRAIN if clip.emotion != "happy"]
    settings = replace(SETTINGS, network="N0", modalities=("action_units", "audio"))
    others = [clip for clip in VALIDATION if clip.emotion != "happy"]
    chosen = MRPN(settings, PlantedSource(3.0)).fit(train, others)
    refit = MRPN(replace(settings, refit=True), PlantedSource(3.0)).fit(train, VALIDATION)
    assert "happy" not in chosen.classes
    assert "happy" in refit.classes
    assert refit.history.best_epoch == TRAINING.epochs
    assert accuracy(refit.predict(unlabelled(TEST)), TEST) > 0.6
    assert set(refit.predict(unlabelled(TEST[:1])).by_modality) == {"action_units", "audio"}


@pytest.mark.parametrize("network", ["N0", "N1", "N2"])
@pytest.mark.parametrize("asked", [None, True, False])
def test_clips_are_paired_in_n2_or_as_asked(network, asked):
    """Section 1.4 of the paper pairs inputs of different clips thanks to N2; it is an option."""
    recognizer = MRPN(replace(SETTINGS, network=network, cross_pairing=asked), PlantedSource())
    recognizer._task(TRAIN, VALIDATION, 0)
    labels = torch.arange(6) % 2
    groups = recognizer._pair_by([labels])
    assert (groups is not None) == (asked if asked is not None else network == "N2")
    assert groups is None or groups.tolist() == labels.tolist()


def test_n0_is_not_changed_by_its_side_heads():
    # The fused answers of N0 must be those of the network as training left it.
    settings = replace(SETTINGS, network="N0", modalities=("action_units", "audio"))
    recognizer = MRPN(settings, PlantedSource()).fit(TRAIN, VALIDATION)
    kept = next(
        row["validation_accuracy"]
        for row in recognizer.history.epochs
        if row["epoch"] == recognizer.history.best_epoch
    )
    assert accuracy(recognizer.predict(unlabelled(VALIDATION)), VALIDATION) == kept


@pytest.mark.parametrize(
    "modalities", [("action_units",), ("audio",), ("video", "audio", "action_units")]
)
def test_any_number_of_modalities(modalities):
    recognizer = MRPN(replace(SETTINGS, modalities=modalities), PlantedSource(3.0))
    prediction = recognizer.fit(TRAIN, VALIDATION).predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6
    assert set(prediction.by_modality) == set(modalities)
    if len(modalities) == 1:
        np.testing.assert_array_equal(
            prediction.by_modality[modalities[0]], prediction.probabilities
        )


@pytest.mark.parametrize("aggregator", ["lstm", "bilstm", "transformer", "statistics"])
def test_aggregators_learn_from_tracks(aggregator):
    branches = {"action_units": replace(BRANCHES["action_units"], aggregator=aggregator)}
    settings = replace(SETTINGS, modalities=("action_units",), branches=branches)
    recognizer = MRPN(settings, PlantedSource(2.0)).fit(TRAIN, VALIDATION)
    assert accuracy(recognizer.predict(unlabelled(TEST)), TEST) > 0.6


def test_a_missing_modality_is_predicted_by_the_others_and_flagged():
    recognizer = MRPN(SETTINGS, PlantedSource(3.0)).fit(TRAIN, VALIDATION)
    whole = recognizer.predict(unlabelled(TEST))
    for gone, left in (("video", "audio"), ("audio", "video")):
        recognizer.store = PlantedSource(3.0, without=gone)
        prediction = recognizer.predict(unlabelled(TEST))
        np.testing.assert_allclose(prediction.probabilities, whole.by_modality[left], atol=1e-6)
        assert np.isnan(prediction.by_modality[gone]).all()
        assert all(f"no {gone}" in flags for flags in prediction.flags)
        assert not prediction.coverage[gone].any()
        assert accuracy(prediction, TEST) > 0.4


class _Nothing(PlantedSource):
    """Every second clip lacks everything."""

    def get(self, clip, feature):
        self.without = feature.modality if clip.clip_id.endswith("1") else ""
        return super().get(clip, feature)


def test_a_clip_without_modalities_counts_as_the_prior_in_evaluations():
    # One more clip of the first class, so that the prior is not flat.
    extra = Clip("s00-happy-9", "s00", "happy", intensity="normal")
    settings = replace(SETTINGS, modalities=("action_units", "audio"))
    recognizer = MRPN(settings, PlantedSource()).fit([*TRAIN, extra], VALIDATION)
    recognizer.store = _Nothing()
    prediction = recognizer.predict_all(unlabelled(TEST))
    empty = [place for place, clip in enumerate(TEST) if clip.clip_id.endswith("1")]
    np.testing.assert_allclose(
        prediction.probabilities[empty], np.tile([13 / 49] + [12 / 49] * 3, (len(empty), 1))
    )
    for place, flags in enumerate(prediction.flags):
        assert ("no usable modality" in flags) == (place in empty)


def test_clips_that_lack_a_modality_are_trained_on():
    class Patchy(PlantedSource):
        def get(self, clip, feature):
            lacks = feature.modality == "audio" and clip.speaker in ("s00", "s01")
            self.without = "audio" if lacks else ""
            return super().get(clip, feature)

    settings = replace(SETTINGS, modalities=("action_units", "audio"))
    recognizer = MRPN(settings, Patchy(2.0)).fit(TRAIN, VALIDATION)
    assert accuracy(recognizer.predict(unlabelled(TEST)), TEST) > 0.6


def test_a_modality_that_no_clip_has_is_an_error():
    with pytest.raises(MissingModalityError, match=r"48 training clips.*'audio'.*no audio"):
        MRPN(SETTINGS, PlantedSource(without="audio")).fit(TRAIN, VALIDATION)


def test_several_targets_with_classes_and_regression():
    targets = ("emotion", "intensity", "votes-both")
    settings = replace(SETTINGS, modalities=("action_units", "audio"), targets=targets)
    recognizer = MRPN(settings, PlantedSource(2.0)).fit(TRAIN, VALIDATION)
    prediction = recognizer.predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6
    assert prediction.other_outputs["intensity"] == ("normal", "strong")
    np.testing.assert_allclose(prediction.other_targets["intensity"].sum(axis=1), 1, rtol=1e-5)
    shares = prediction.other_targets["votes-both"]
    wanted = np.array(
        [
            [c.votes["both"].get(o, 0.0) for o in prediction.other_outputs["votes-both"]]
            for c in TEST
        ]
    )
    # Better than always answering the mean share.
    assert np.abs(shares - wanted).mean() < 0.8 * np.abs(wanted - wanted.mean(axis=0)).mean()


def test_saved_and_loaded_it_predicts_the_same(tmp_path):
    source = PlantedSource()
    recognizer = MRPN(SETTINGS, source).fit(TRAIN, VALIDATION)
    recognizer.save(tmp_path / "run")
    loaded = MRPN.load(tmp_path / "run", source)
    expected, found = (r.predict(unlabelled(TEST)) for r in (recognizer, loaded))
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    assert loaded.settings == recognizer.settings
    assert loaded.classes == recognizer.classes
    assert loaded.card == json.loads(json.dumps(recognizer.card))
    assert {n: f.key for n, f in loaded.features.items()} == {
        n: f.key for n, f in recognizer.features.items()
    }


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("recognizer.json", lambda text: text.replace("aver-recognizer-2", "aver-recognizer-0"),
         "has format 'aver-recognizer-0'"),
        ("recognizer.json", lambda text: text.replace('"mrpn"', '"snn"'), "holds the model 'snn'"),
        ("recognizer.json", lambda text: text.replace('"hidden": 16', '"hidden": 17'), "has shape"),
        ("recognizer.json", lambda text: text.replace('"network": "N2"', '"network": "N1"'),
         "is unknown"),
        ("recognizer.json", lambda text: text[:50], "not readable JSON"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path, file, change, words):
    training = replace(TRAINING, epochs=1)
    settings = replace(SETTINGS, modalities=("action_units", "audio"), training=training)
    MRPN(settings, PlantedSource()).fit(TRAIN[:16], VALIDATION).save(tmp_path)
    path = tmp_path / file
    path.write_text(change(path.read_text()))
    with pytest.raises(CheckpointError, match=words):
        MRPN.load(tmp_path, PlantedSource())


def test_damaged_and_missing_weights_are_refused(tmp_path):
    training = replace(TRAINING, epochs=1)
    settings = replace(SETTINGS, modalities=("action_units",), training=training)
    MRPN(settings, PlantedSource()).fit(TRAIN[:16], VALIDATION).save(tmp_path)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match="cannot be read"):
        MRPN.load(tmp_path, PlantedSource())
    with pytest.raises(CheckpointError, match="There is no checkpoint at"):
        MRPN.load(tmp_path / "nowhere", PlantedSource())


def test_a_resumed_training_gives_the_same_predictions(tmp_path):
    settings = replace(SETTINGS, training=replace(TRAINING, epochs=4))

    class Interrupting(MRPN):
        def _build(self):
            network = super()._build()
            calls = {"training": 0}

            def count(module, inputs):
                calls["training"] += module.training
                if calls["training"] == 8:  # of 3 steps an epoch: within the third
                    os.kill(os.getpid(), signal.SIGINT)

            network.register_forward_pre_hook(count)
            return network

    source = PlantedSource()
    expected = MRPN(settings, source).fit(TRAIN, VALIDATION, seed=4).predict_proba(TEST)
    with pytest.raises(TrainingInterrupted):
        Interrupting(settings, source).fit(TRAIN, VALIDATION, seed=4, run_folder=tmp_path)
    resumed = MRPN(settings, source).fit(TRAIN, VALIDATION, seed=4, run_folder=tmp_path)
    np.testing.assert_array_equal(resumed.predict_proba(TEST), expected)


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_own_pretrained_weights_start_the_extractor(tmp_path, suffix):
    from safetensors.torch import save_file

    from aver.networks.resnet import ResNet18

    torch.manual_seed(5)
    weights = ResNet18(1, width=4, blocks=1).state_dict()
    weights["fc.weight"] = torch.zeros(7, 32)  # another task's classifier is left out
    path = tmp_path / f"weights.{suffix}"
    save_file(weights, path) if suffix == "safetensors" else torch.save(weights, path)
    training = replace(TRAINING, epochs=1, learning_rate=1e-12)
    branches = {"video": replace(BRANCHES["video"], pretrained=str(path))}
    settings = replace(SETTINGS, modalities=("video",), branches=branches, training=training)
    network = MRPN(settings, PlantedSource()).fit(TRAIN[:16], VALIDATION).network
    torch.testing.assert_close(
        network.branches["video"].extractor.conv1.weight, weights["conv1.weight"]
    )
    wide = replace(branches["video"], width=8)
    with pytest.raises(CheckpointError, match=r"do not fit.*Check width"):
        MRPN(replace(settings, branches={"video": wide}), PlantedSource()).fit(TRAIN, VALIDATION)


def test_invalid_training_data_is_refused():
    recognizer = MRPN(SETTINGS, PlantedSource())
    with pytest.raises(SettingsError, match="not been trained"):
        recognizer.predict(TEST)
    with pytest.raises(LabelError, match="at least two are needed"):
        recognizer.fit([c for c in TRAIN if c.emotion == "sad"], VALIDATION)
    with pytest.raises(LabelError, match="has no emotion"):
        recognizer.fit(unlabelled(TRAIN), VALIDATION)
    with pytest.raises(LabelError, match="no validation clip"):
        recognizer.fit(TRAIN, [])
    with pytest.raises(LabelError, match="votes-face"):
        MRPN(replace(SETTINGS, targets=("emotion", "votes-face")), PlantedSource()).fit(
            TRAIN, VALIDATION
        )
    for wrong in (
        {"network": "N3"}, {"modalities": ()}, {"modalities": ("smell",)}, {"dropout": 1.0},
    ):  # fmt: skip
        with pytest.raises(SettingsError):
            replace(SETTINGS, **wrong)
    with pytest.raises(SettingsError, match="emotion"):
        MRPN(replace(SETTINGS, targets=("intensity",)), PlantedSource()).fit(TRAIN, VALIDATION)
    branches = {"action_units": replace(BRANCHES["action_units"], extractor="resnet18")}
    wrong = MRPN(
        replace(SETTINGS, modalities=("action_units",), branches=branches), PlantedSource()
    )
    with pytest.raises(SettingsError, match="identity"):
        wrong.fit(TRAIN, VALIDATION)
