"""Temporal aggregation as a recognizer: weights, missing modalities, draws, checkpoints."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from drawn_segments import TINY, drawn_batch
from planted_source import PlantedSource, planted_clips
from tiny import tiny

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, ClipError, LabelError, MissingModalityError, SettingsError
from aver.features.feature import FeatureRecord
from aver.features.store import FeatureStore
from aver.models.temporal_aggregation.recognizer import TemporalAggregation
from aver.models.temporal_aggregation.settings import SegmentBranchSettings

CLIPS = planted_clips(speakers=8, takes=2)
TRAIN, VALIDATION, TEST = CLIPS[:40], CLIPS[40:48], CLIPS[48:]


def unlabelled(clips):
    return [clip.without_labels() for clip in clips]


def accuracy(prediction, clips):
    return np.mean([a == b.emotion for a, b in zip(prediction.labels, clips, strict=True)])


@pytest.fixture(scope="module")
def fitted():
    return tiny(TemporalAggregation, PlantedSource(3.0)).fit(TRAIN, VALIDATION, seed=2)


@pytest.mark.parametrize("weights", ["independent", "shared"])
def test_independent_and_shared_networks_learn(weights):
    settings = replace(TINY, weights=weights)
    recognizer = TemporalAggregation(settings, PlantedSource(3.0)).fit(TRAIN, VALIDATION)
    prediction = recognizer.predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6  # chance 0.25
    assert len(recognizer.network.networks) == (2 if weights == "independent" else 1)


@pytest.mark.parametrize("modality", ["video", "audio"])
def test_each_modality_learns_alone(modality):
    settings = replace(TINY, modalities=(modality,))
    recognizer = TemporalAggregation(settings, PlantedSource(3.0)).fit(TRAIN, VALIDATION)
    prediction = recognizer.predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6
    np.testing.assert_array_equal(prediction.by_modality[modality], prediction.probabilities)


BRANCHES = {
    "video": SegmentBranchSettings(extractor="hog"),
    "audio": SegmentBranchSettings(extractor="band-functionals"),
}


RESNET = SegmentBranchSettings(extractor="resnet18", width=4, blocks=1, stem="3x3")


@pytest.mark.parametrize(
    "changes",
    [
        {"branches": BRANCHES},
        {"branches": dict.fromkeys(BRANCHES, RESNET)},
        {"image_feature": "face-embeddings", "images": {"crops": {"size_px": 16}}},
        {"standardize_audio": "clip"},
    ],
)
def test_other_extractors_learn_and_are_saved(changes, tmp_path):
    settings = replace(TINY, **changes)
    recognizer = TemporalAggregation(settings, PlantedSource(3.0)).fit(TRAIN, VALIDATION)
    prediction = recognizer.predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6  # chance 0.25
    recognizer.save(tmp_path)
    again = TemporalAggregation.load(tmp_path, recognizer.store).predict_proba(unlabelled(TEST))
    np.testing.assert_array_equal(again, prediction.probabilities)


def test_embeddings_have_the_times_of_their_frames(fitted):
    class Seen(PlantedSource):
        def get(self, clip, feature):
            record = super().get(clip, feature)
            if feature.modality != "video":
                return record
            if feature.name == "face-crops":
                found = np.arange(len(record.arrays["found"])) > 0
                return FeatureRecord({**record.arrays, "found": found})
            return FeatureRecord({"embeddings": record.arrays["embeddings"][1:]})

    settings = replace(TINY, image_feature="face-embeddings", images={"crops": {"size_px": 16}})
    recognizer = TemporalAggregation(settings, Seen(3.0))
    clip = TRAIN[0]
    (images,) = recognizer._load([clip])["video"].values
    video = recognizer.features["video"]
    embeddings = recognizer.store.get(clip, video).arrays["embeddings"]
    assert not images.found[0]
    assert bool(images.found[1:].all())
    np.testing.assert_array_equal(images.frames[1:].numpy(), embeddings)
    moments = recognizer.store.get(clip, video.basis).arrays["times_s"]
    np.testing.assert_array_equal(images.times_s.numpy(), moments)


class Counted(PlantedSource):
    """Knows how often it was asked for each clip."""

    def __init__(self):
        super().__init__(3.0)
        self.asked = Counter()

    def get(self, clip, feature):
        self.asked[clip.clip_id, feature.name] += 1
        return super().get(clip, feature)


def test_with_refit_validation_clips_are_trained_on_and_choose_nothing():
    settings = replace(TINY, refit=True)
    recognizer = TemporalAggregation(settings, Counted()).fit(TRAIN[:16], VALIDATION)
    # Held in memory once, and read once more for the distance to the training data.
    assert set(recognizer.store.asked.values()) == {2}
    same = replace(TINY, training=replace(TINY.training, keep="last"))
    together = [*TRAIN[:16], *VALIDATION]
    twin = TemporalAggregation(same, PlantedSource(3.0)).fit(together, TEST)
    predictions = [r.predict_proba(unlabelled(TEST)) for r in (recognizer, twin)]
    np.testing.assert_array_equal(*predictions)
    losses = [row["validation_loss"] for row in recognizer.history.epochs]
    on_its_own = TemporalAggregation(same, PlantedSource(3.0)).fit(together, VALIDATION)
    assert losses == [row["validation_loss"] for row in on_its_own.history.epochs]
    assert recognizer.card["fitted_on"]["mean image"] == ["train", "validation"]
    assert recognizer.card["labels_used"] == {"weights": ["train", "validation"]}


def test_a_loss_has_the_weight_of_the_clips_that_it_averages(fitted):
    class Some(PlantedSource):
        def get(self, clip, feature):
            return self.absent() if clip.clip_id.endswith("sad-0") else super().get(clip, feature)

        def absent(self):
            return FeatureRecord.absent("nothing")

    task = TemporalAggregation(TINY, Some(3.0)).task(TRAIN, VALIDATION, seed=0)
    task.network.load_state_dict(fitted.network.state_dict())
    task.network.eval()
    (batch,) = task.validation_batches()
    with torch.no_grad():
        loss = task.loss(batch)
    assert (batch.clips, loss.clips) == (8, 7)
    kept = [clip for clip in VALIDATION if not clip.clip_id.endswith("sad-0")]
    found = fitted.predict_proba(unlabelled(kept))
    truth = [fitted.classes.index(clip.emotion) for clip in kept]
    by_hand = -np.log(found[np.arange(7), truth]).mean()
    assert float(loss.value) == pytest.approx(by_hand, abs=1e-6)
    assert loss.correct == int((found.argmax(axis=1) == truth).sum())


def test_validation_clips_that_cannot_choose_are_an_error_without_refit():
    class Silent(PlantedSource):
        def get(self, clip, feature):
            judges = clip.speaker == VALIDATION[0].speaker
            return FeatureRecord.absent("no face") if judges else super().get(clip, feature)

    few = replace(TINY.training, epochs=1)
    recognizer = TemporalAggregation(replace(TINY, training=few), Silent(3.0))
    with pytest.raises(MissingModalityError, match=r"None of the 8 validation .*no face"):
        recognizer.fit(TRAIN, VALIDATION)
    TemporalAggregation(replace(recognizer.settings, refit=True), Silent(3.0)).fit(
        TRAIN, VALIDATION
    )
    happy = [clip for clip in TRAIN if clip.emotion in ("happy", "angry")]
    sad = [clip for clip in VALIDATION if clip.emotion == "sad"]
    with pytest.raises(LabelError, match="None of the 2 validation clips shows an emotion"):
        TemporalAggregation(recognizer.settings, PlantedSource(3.0)).fit(happy, sad)


class Faceless(PlantedSource):
    """Every face is missing in one half of each clip's pictures."""

    def get(self, clip, feature):
        record = super().get(clip, feature)
        if feature.modality != "video":
            return record
        found = np.arange(len(record.arrays["found"])) >= len(record.arrays["found"]) // 2
        return FeatureRecord({**record.arrays, "found": found}, coverage=0.5)


def test_a_segment_without_a_face_is_flagged_and_shows_the_mean_crop(fitted):
    other = TemporalAggregation(fitted.settings, Faceless(3.0))
    vars(other).update({**vars(fitted), "settings": other.settings, "store": other.store})
    prediction = other.predict(unlabelled(TEST))
    assert all("no face in 1 of 2 segments" in flags for flags in prediction.flags)
    assert np.isfinite(prediction.by_modality["video"]).all()
    net, batch = fitted.network, drawn_batch()
    blank = torch.tensor([[True, False]]).expand(5, 2)
    images = batch.inputs["video"].clone()
    images[:, 0] = 77  # what lies below a blank segment must not matter
    twins = [
        replace(batch, blank=blank),
        replace(batch, blank=blank, inputs={**batch.inputs, "video": images}),
    ]
    with torch.no_grad():
        assert torch.equal(net(twins[0]), net(twins[1]))
    clips = fitted._load(TRAIN)
    by_hand = torch.stack([p.frames.double().mean(dim=0) for p in clips["video"].some]).mean(dim=0)
    torch.testing.assert_close(net.mean_image.double(), by_hand, rtol=1e-5, atol=1e-3)


def test_more_segments_than_frames_is_an_error_that_names_the_clips():
    recognizer = TemporalAggregation(replace(TINY, segments=9), PlantedSource())
    words = r"Clip 's00-happy-0' has \d frames .* 9 segments.* holds for 39 more"
    with pytest.raises(ClipError, match=words) as caught:
        recognizer.fit(TRAIN, VALIDATION)
    assert set(caught.value.reasons) == {clip.clip_id for clip in TRAIN}
    again = pickle.loads(pickle.dumps(caught.value))  # as from a worker process
    assert (again.reasons, str(again)) == (caught.value.reasons, str(caught.value))


def test_no_clips_give_no_predictions(fitted):
    prediction = fitted.predict([])
    assert prediction.probabilities.shape == (0, 4)
    assert prediction.by_modality["audio"].shape == (0, 4)
    assert (prediction.clip_ids, prediction.flags) == ((), ())


def test_averaging_over_draws(fitted):
    predictions = {}
    for draws in (0, 1, 20, 60):
        other = TemporalAggregation(replace(fitted.settings, tta=draws), fitted.store)
        vars(other).update({**vars(fitted), "settings": other.settings, "store": other.store})
        predictions[draws] = other.predict_proba(unlabelled(TEST))
        np.testing.assert_array_equal(predictions[draws], other.predict_proba(unlabelled(TEST)))
    assert not np.array_equal(predictions[0], predictions[1])
    away = {draws: np.abs(predictions[draws] - predictions[60]).mean() for draws in (1, 20)}
    assert away[20] < 0.5 * away[1]  # a mean over draws settles


def test_an_offset_shifts_the_audio_and_does_not_change_the_original(fitted):
    before = fitted.predict_proba(unlabelled(TEST))
    moved = fitted.with_offset(0.5)
    assert moved.settings.offset_s == 0.5
    assert not np.array_equal(moved.predict_proba(unlabelled(TEST)), before)
    np.testing.assert_array_equal(moved.with_offset(0.0).predict_proba(unlabelled(TEST)), before)
    np.testing.assert_array_equal(fitted.predict_proba(unlabelled(TEST)), before)


def test_b_shifts_the_audio_in_training_and_not_in_prediction():
    firsts = {}
    for b_s in (0.0, 0.4):
        recognizer = TemporalAggregation(replace(TINY, asynchrony_s=b_s), PlantedSource(3.0))
        task = recognizer.task(TRAIN, VALIDATION, seed=0)
        drawn = next(iter(task.training_batches(torch.Generator().manual_seed(1))))
        firsts[b_s] = drawn, next(iter(task.validation_batches()))
    for place, same in ((0, False), (1, True)):
        one, other = (batches[place].inputs for batches in firsts.values())
        assert torch.equal(one["video"], other["video"])
        assert torch.equal(one["audio"], other["audio"]) == same


def test_a_changed_checkpoint_is_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    facts = json.loads((tmp_path / "recognizer.json").read_text())
    facts["facts"]["settings"]["segments"] = 3
    (tmp_path / "recognizer.json").write_text(json.dumps(facts))
    with pytest.raises(CheckpointError, match=r"networks\.2"):
        TemporalAggregation.load(tmp_path, PlantedSource())


def test_missing_training_data_is_refused():
    small = tiny(TemporalAggregation, PlantedSource(without="audio"))
    with pytest.raises(MissingModalityError, match="'audio'"):
        small.fit(TRAIN, VALIDATION)
    with pytest.raises(LabelError, match="no validation clip"):
        tiny(TemporalAggregation, PlantedSource()).fit(TRAIN, [])
    with pytest.raises(SettingsError, match="has not been trained"):
        tiny(TemporalAggregation, PlantedSource()).predict([Clip("c", None, None)])


def test_a_clip_without_a_modality_trains_the_other(fitted):
    class Some(PlantedSource):
        def get(self, clip, feature):
            lacks = "audio" if clip.clip_id.endswith("-0") else "video"
            self.without = lacks if clip.speaker in ("s00", "s01") else ""
            return super().get(clip, feature)

    recognizer = tiny(TemporalAggregation, Some(3.0)).fit(TRAIN, VALIDATION)
    assert accuracy(recognizer.predict(unlabelled(TEST)), TEST) > 0.6


def test_real_clips_with_and_without_images_are_predicted(fitted, data_root, tmp_path):
    film = data_root / "javanese-av" / "01-01-03_01.mp4"
    voice = data_root / "ravdess" / "Actor_01" / "03-01-05-01-01-01-01.flac"
    if not (film.is_file() and voice.is_file()):
        pytest.skip("javanese-av or ravdess is not there")
    fitted.save(tmp_path / "run")
    store = FeatureStore(tmp_path / "cache")
    clips = [
        Clip("both", None, None, video=film, audio=film),
        Clip("heard", None, None, audio=voice),
    ]
    prediction = TemporalAggregation.load(tmp_path / "run", store).predict(clips)
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert not np.isnan(prediction.by_modality["video"][0]).any()
    assert np.isnan(prediction.by_modality["video"][1]).all()
    assert "no video" in prediction.flags[1]
    assert 0.4 < prediction.coverage["audio"][1] < 0.6  # the clip begins and ends with silence
