"""Batches, standardization, losses: against closed forms and scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.feature import FeatureRecord, feature_from_settings
from aver.models.data.batches import ClipSequences, read_frames
from aver.models.data.clip_features import ClipFeature, load_feature
from aver.models.data.sampler import ClipSampler, FrameRule
from aver.models.data.targets import Target, TargetLoss
from aver.models.layers.extractors import HOG, with_coordinates
from aver.models.layers.normalization import Standardize


def sampler(**changes):
    """Ten clips of two tracks; each frame holds its clip's number."""
    frames = tuple(torch.full((4 + clip, 1), float(clip)) for clip in range(10))
    plain = ClipFeature(frames, np.ones(10), ((),) * 10)
    lacking = ClipFeature((*frames[:9], None), np.ones(10), ((),) * 10)
    made = ClipSampler(
        frames={"video": plain, "audio": lacking},
        rules={"video": FrameRule(3, 0), "audio": FrameRule(3, 2)},
        labels={"emotion": torch.tensor([0, 1] * 5)},
        batch_size=4,
    )
    return replace(made, **changes)


def owners(sequences):
    """The clip that each clip's frames come from; None where there are none."""
    parts = iter(sequences.frames.split(list(sequences.lengths)))
    return [int(next(parts)[0]) if there else None for there in sequences.present]


def test_every_clip_once_in_batches_of_even_size():
    batches = list(sampler().training(torch.Generator().manual_seed(0)))
    assert sorted(batch.clips for batch in batches) == [3, 3, 4]
    seen = [owner for batch in batches for owner in owners(batch.inputs["video"])]
    assert sorted(seen) == list(range(10))
    assert seen != list(range(10))
    for batch in batches:
        expected = [owner % 2 for owner in owners(batch.inputs["video"])]
        assert batch.labels["emotion"].tolist() == expected
        # Without pairing, both modalities are of the same clip.
        for one, other in zip(*(owners(batch.inputs[m]) for m in ("video", "audio")), strict=True):
            assert other == one if one != 9 else other is None


def test_pairing_lends_the_audio_of_another_clip_of_the_class():
    paired = sampler(pair_by=torch.tensor([0, 1] * 5))
    generator = torch.Generator().manual_seed(0)
    lent = set()
    for _ in range(30):
        for batch in paired.training(generator):
            pairs = zip(*(owners(batch.inputs[m]) for m in ("video", "audio")), strict=True)
            for video, audio in pairs:
                assert (audio is None) == (video == 9)
                if audio is not None:
                    assert audio % 2 == video % 2
                    lent.add((video, audio))
    assert {audio for video, audio in lent if video == 0} == {0, 2, 4, 6, 8}


def test_evaluation_draws_nothing():
    one, other = (list(sampler().evaluation()) for _ in range(2))
    assert [batch.clips for batch in one] == [4, 4, 2]
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a.inputs["audio"].frames, b.inputs["audio"].frames)
    assert one[0].inputs["video"].lengths == (4, 5, 6, 7)  # whole
    assert one[0].inputs["audio"].lengths == (2, 2, 2, 2)  # at most two, by the rule


def test_standards_are_numpys():
    clips = [torch.randn(3, 1, 4, 5) * 3 + 2, torch.randn(6, 1, 4, 5)]
    joined = ClipSequences.of(clips)
    by_clip = Standardize("clip", 4)(joined.frames, joined).split([3, 6])
    by_band = Standardize("bands", 4)(joined.frames, joined).split([3, 6])
    for clip, whole, bands in zip(clips, by_clip, by_band, strict=True):
        x = clip.numpy()
        np.testing.assert_allclose(whole, (x - x.mean()) / x.std(), atol=1e-5)
        mean, std = (f(x, axis=(0, 1, 3), keepdims=True) for f in (np.mean, np.std))
        np.testing.assert_allclose(bands, (x - mean) / std, atol=1e-5)


def test_the_training_standard_weighs_clips_alike():
    clips = [torch.randn(3, 4) * 3 + 2, torch.randn(600, 4)]
    standard = Standardize("train", 4)
    standard.learn(clips)
    mean = np.mean([c.numpy().mean(axis=0) for c in clips], axis=0)
    square = np.mean([(c.numpy() ** 2).mean(axis=0) for c in clips], axis=0)
    x = torch.randn(5, 4)
    np.testing.assert_allclose(
        standard(x, ClipSequences.of([x])).numpy(),
        (x.numpy() - mean) / np.sqrt(square - mean**2),
        rtol=1e-4,
    )
    with pytest.raises(SettingsError, match="Known are"):
        Standardize("speaker", 4)


def test_coordinates_say_where_a_value_lies():
    found = with_coordinates(torch.zeros(2, 1, 3, 5))
    assert found.shape == (2, 3, 3, 5)
    np.testing.assert_allclose(found[1, 1, :, 0], [-1, 0, 1])
    np.testing.assert_allclose(found[0, 2, 1], [-1, -0.5, 0, 0.5, 1])


def test_class_weights_are_scikit_learns():
    labels = torch.tensor([0] * 6 + [1] * 3 + [2])
    loss = TargetLoss(Target("emotion", ("happy", "sad", "angry")), labels, True, 0.0)
    weights = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    scores = torch.randn(10, 3)
    p = torch.softmax(scores, dim=1).numpy()[np.arange(10), labels]
    expected = np.mean(weights[labels] * -np.log(p))
    assert float(loss(scores, labels, training=True)) == pytest.approx(expected, rel=1e-5)


def test_unknown_labels_count_for_nothing():
    labels = torch.tensor([0, 1, 1, 0])
    loss = TargetLoss(Target("intensity", ("normal", "strong")), labels, False, 0.0)
    scores = torch.randn(4, 2)
    some = loss(scores, torch.tensor([0, -1, 1, -1]), True)
    torch.testing.assert_close(some, loss(scores[[0, 2]], torch.tensor([0, 1]), True))
    assert float(loss(scores, torch.full((4,), -1), True)) == 0.0


def test_a_regression_that_predictions_the_mean_has_loss_one():
    target = Target("votes-both", ("happy", "sad"))
    clips = [Clip(str(k), "s", "sad", votes={"both": {"happy": s, "sad": 1 - s}})
             for k, s in enumerate([0.1, 0.4, 0.7, 0.6])]  # fmt: skip
    labels = target.labels([*clips, Clip("none", "s", "sad")])
    assert bool(labels[-1].isnan().all())
    loss = TargetLoss(target, labels, True, 0.0)
    mean = labels[:4].mean(dim=0)
    scores = torch.logit(mean).expand(5, 2)
    assert float(loss(scores, labels, True)) == pytest.approx(1.0, rel=1e-5)


class _Source:
    def __init__(self, record):
        self.record = record

    def get(self, clip, feature):
        return self.record


def test_frames_without_a_face_are_left_out_and_gray_is_brightness():
    crops = np.zeros((3, 2, 2, 3), np.uint8)
    crops[0, ..., 0], crops[2, ..., 1] = 255, 255  # red, green
    found = np.array([True, False, True])
    feature = feature_from_settings("face-crops", {})
    source = _Source(FeatureRecord({"crops": crops, "found": found}, coverage=2 / 3))
    gray = partial(read_frames, gray=True)
    (frames,) = load_feature([Clip("a", None, None)], feature, source, gray).values
    assert frames.shape == (2, 1, 2, 2)
    assert frames[:, 0, 0, 0].tolist() == [76, 150]  # BT.601: 0.299, 0.587 of 255
    none = _Source(FeatureRecord({"crops": crops, "found": np.zeros(3, bool)}, coverage=0.0))
    nothing = load_feature([Clip("a", None, None)], feature, none, read_frames)
    assert nothing.values == (None,)
    assert nothing.flags == (("no video",),)


def test_a_feature_without_frames_is_refused():
    feature = feature_from_settings("face-crops", {})
    source = _Source(FeatureRecord({"landmarks": np.zeros(3)}))
    with pytest.raises(FeatureError, match="yields landmarks"):
        load_feature([Clip("a", None, None)], feature, source, read_frames)


def test_oriented_gradients_are_numpys_histograms():
    image = np.random.default_rng(0).normal(size=(12, 12)).cumsum(axis=0).cumsum(axis=1)
    padded = np.pad(image, 1, mode="edge")
    across, down = padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    place = np.mod(np.arctan2(down, across), np.pi) / np.pi * 8
    expected = np.zeros((2, 2, 8))
    for row, column in np.ndindex(12, 12):
        C, low = np.hypot(across, down)[row, column], int(place[row, column])
        share = place[row, column] - low
        cell = expected[row // 6, column // 6]
        cell[low % 8] += C * (1 - share)
        cell[(low + 1) % 8] += C * share
    expected = expected.ravel() / np.linalg.norm(expected)
    x = torch.tensor(image, dtype=torch.float32)[None, None]
    found = HOG((1, 12, 12), cells=2)(x)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(HOG((1, 12, 12), cells=2)(3 * x + 1)[0], found, atol=1e-4)
    with pytest.raises(SettingsError, match="2 pixels per cell"):
        HOG((1, 10, 12))
