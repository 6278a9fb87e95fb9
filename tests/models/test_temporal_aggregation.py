"""Temporal aggregation as a recogniser: sums, weights, missing halves, draws, checkpoints."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_source import PlantedSource, planted_clips

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, LabelError, MissingModalityError, SettingsError
from aver.features.feature import FeatureRecord
from aver.features.store import FeatureStore
from aver.models.parts.band_statistics import BandStatistics
from aver.models.parts.conv_blocks import ConvBlocks
from aver.models.parts.feature_mean import FeatureMean
from aver.models.parts.segment_batch import SegmentBatch
from aver.models.parts.segment_extractor import SegmentExtractorSettings
from aver.models.parts.temporal_network import TemporalNetwork
from aver.models.presets import load_preset
from aver.models.temporal_aggregation import TemporalAggregation, TemporalAggregationSettings

CLIPS = planted_clips(speakers=8, takes=2)
TRAIN, VALIDATION, TEST = CLIPS[:40], CLIPS[40:48], CLIPS[48:]
TINY = TemporalAggregation.tiny(PlantedSource()).settings
SHAPES = {"video": (1, 16, 16), "sound": (8,)}


def unlabelled(clips):
    return [clip.without_labels() for clip in clips]


def accuracy(prediction, clips):
    return np.mean([a == b.emotion for a, b in zip(prediction.labels, clips, strict=True)])


def drawn_batch(clips: int = 5, segments: int = 2, seed: int = 0) -> SegmentBatch:
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.randint(0, 256, (clips, segments, 1, 16, 16), generator=generator).byte()
    sound = torch.randn(clips, segments, 1, 8, 8, generator=generator).half()
    everyone = torch.ones(clips, dtype=torch.bool)
    return SegmentBatch(
        {"video": pictures, "sound": sound},
        torch.zeros(clips, segments, dtype=torch.bool),
        {"video": everyone, "sound": everyone},
        torch.arange(clips) % 4,
    )


def network(**changes) -> TemporalNetwork:
    torch.manual_seed(3)
    return TemporalNetwork(replace(TINY, **changes), SHAPES, 4)


@pytest.fixture(scope="module")
def fitted():
    return TemporalAggregation.tiny(PlantedSource(3.0)).fit(TRAIN, VALIDATION, seed=2)


@pytest.mark.parametrize("weights", ["independent", "shared"])
def test_both_kinds_of_weights_learn(weights):
    settings = replace(TINY, weights=weights)
    recognizer = TemporalAggregation(settings, PlantedSource(3.0)).fit(TRAIN, VALIDATION)
    prediction = recognizer.predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6  # chance 0.25
    assert len(recognizer.network.networks) == (2 if weights == "independent" else 1)


@pytest.mark.parametrize("modality", ["video", "sound"])
def test_each_half_learns_alone(modality):
    settings = replace(TINY, modalities=(modality,))
    recognizer = TemporalAggregation(settings, PlantedSource(3.0)).fit(TRAIN, VALIDATION)
    prediction = recognizer.predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6
    np.testing.assert_array_equal(prediction.by_modality[modality], prediction.probabilities)


def test_the_answer_is_the_sum_of_the_segments_probabilities():
    net, batch = network().eval(), drawn_batch()
    with torch.no_grad():
        found = net(batch).exp()
        images = {name: net._prepared(name, batch) for name in batch.inputs}
        by_hand = torch.zeros(5, 4)
        for place, part in enumerate(net.networks):
            features = [part.extractors[name](images[name][place]) for name in ("video", "sound")]
            by_hand += torch.softmax(part.dense(torch.cat(features, dim=1)), dim=1)
    torch.testing.assert_close(found, by_hand / 2)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(5))


@pytest.mark.parametrize("without_sound", [(), (1, 4), (0, 1, 2, 3, 4)])
def test_independent_networks_with_equal_weights_answer_as_the_shared_one(without_sound):
    shared, own = network(weights="shared"), network(weights="independent")
    shared.networks[0].means["sound"].mean.normal_()
    for part in own.networks:
        part.load_state_dict(shared.networks[0].state_dict())
    batch = drawn_batch()
    has = torch.tensor([clip not in without_sound for clip in range(5)])
    inputs = {**batch.inputs, "sound": batch.inputs["sound"][has]}
    if not has.any():
        del inputs["sound"]
    batch = replace(batch, inputs=inputs, present={**batch.present, "sound": has})
    with torch.no_grad():
        torch.testing.assert_close(own.eval()(batch), shared.eval()(batch))


@pytest.mark.parametrize("weights", ["independent", "shared"])
def test_relative_features_forget_what_all_segments_of_a_clip_have_in_common(weights):
    extractors = {"sound": SegmentExtractorSettings("band-statistics", relative=True)}
    changes = {"weights": weights, "extractors": extractors, "modalities": ("sound",)}
    net, batch = network(**changes).eval(), drawn_batch()
    for part in net.networks:
        part.extractors["sound"].norm = torch.nn.Identity()
    louder = batch.inputs["sound"].float() + torch.randn(5, 1, 1, 8, 1)  # per clip and band
    plain = replace(batch, inputs={"sound": batch.inputs["sound"].float()})
    with torch.no_grad():
        answers = [net(b) for b in (plain, replace(batch, inputs={"sound": louder}))]
        torch.testing.assert_close(*answers, rtol=1e-4, atol=1e-4)
        single = network(**changes, segments=1).eval()
        one = {"sound": plain.inputs["sound"][:, :1]}, {"sound": louder[:, :1]}
        answers = [single(replace(batch, inputs=inputs)) for inputs in one]
    assert not torch.allclose(*answers)


def test_a_segments_gradient_reaches_its_own_network_only():
    net, batch = network(modality_dropout=0.0).train(), drawn_batch()
    batch.inputs["sound"].requires_grad_(True)
    net(batch)[:, 0].sum().backward()
    assert all(part.dense.weight.grad.abs().sum() > 0 for part in net.networks)
    moved = batch.inputs["sound"].detach().clone()
    moved[:, 1] += 1
    other = replace(batch, inputs={**batch.inputs, "sound": moved})
    net.eval()
    images = net._prepared("sound", other), net._prepared("sound", batch)
    assert torch.equal(images[0][0], images[1][0])  # segment 0 does not see segment 1
    assert not torch.equal(images[0][1], images[1][1])


def test_independent_networks_cost_no_more_arithmetic_than_the_shared_one():
    from torch.utils.flop_counter import FlopCounterMode

    counts = {}
    for weights in ("independent", "shared"):
        with FlopCounterMode(display=False) as counter:
            network(weights=weights).train()(drawn_batch()).sum().backward()
        counts[weights] = counter.get_total_flops()
    assert counts["independent"] == counts["shared"]


EXTRACTORS = {
    "video": SegmentExtractorSettings("gradients"),
    "sound": SegmentExtractorSettings("band-statistics"),
}


@pytest.mark.parametrize(
    "changes",
    [
        {"extractors": EXTRACTORS},
        {"extractors": {m: SegmentExtractorSettings("resnet18", 4, 1, "3x3") for m in EXTRACTORS}},
        {"picture_feature": "face-embeddings", "pictures": {"crops": {"size_px": 16}}},
        {"standardise_sound": "clip"},
    ],
)
def test_other_ways_to_read_a_segment_learn_and_are_kept(changes, tmp_path):
    settings = replace(TINY, **changes)
    recognizer = TemporalAggregation(settings, PlantedSource(3.0)).fit(TRAIN, VALIDATION)
    prediction = recognizer.predict(unlabelled(TEST))
    assert accuracy(prediction, TEST) > 0.6  # chance 0.25
    recognizer.save(tmp_path)
    again = TemporalAggregation.load(tmp_path, recognizer.store).predict_proba(unlabelled(TEST))
    np.testing.assert_array_equal(again, prediction.probabilities)


def test_embeddings_lie_at_the_moments_of_their_pictures(fitted):
    class Seen(PlantedSource):
        def get(self, clip, feature):
            record = super().get(clip, feature)
            if feature.modality != "video":
                return record
            if feature.name == "face-crops":
                found = np.arange(len(record.arrays["found"])) > 0
                return FeatureRecord({**record.arrays, "found": found})
            return FeatureRecord({"embeddings": record.arrays["embeddings"][1:]})

    settings = replace(TINY, picture_feature="face-embeddings", pictures={"crops": {"size_px": 16}})
    recognizer = TemporalAggregation(settings, Seen(3.0))
    clip = TRAIN[0]
    (pictures,) = recognizer._load([clip]).pictures
    video = recognizer.features["video"]
    embeddings = recognizer.store.get(clip, video).arrays["embeddings"]
    assert not pictures.found[0]
    assert bool(pictures.found[1:].all())
    np.testing.assert_array_equal(pictures.frames[1:].numpy(), embeddings)
    moments = recognizer.store.get(clip, video.basis).arrays["times_s"]
    np.testing.assert_array_equal(pictures.times_s.numpy(), moments)


def test_statistics_of_bands_are_those_of_numpy():
    windows = torch.randn(5, 1, 6, 40)
    values = windows.numpy()[:, 0]
    both = values.mean(axis=2), values.std(axis=2)
    for rows in (6, 9):  # never more than there are bands
        found = BandStatistics((1, 6, 40), rows)(windows).numpy()
        np.testing.assert_allclose(found, np.concatenate(both, axis=1), rtol=1e-4, atol=1e-5)
    found = BandStatistics((1, 6, 40), 2)(windows).numpy()
    expected = np.concatenate([part.reshape(5, 2, 3).mean(axis=2) for part in both], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_with_refit_validation_clips_are_learnt_from_and_decide_nothing():
    settings = replace(TINY, refit=True)
    recognizer = TemporalAggregation(settings, PlantedSource(3.0)).fit(TRAIN[:16], VALIDATION)
    same = replace(TINY, training=replace(TINY.training, keep="last"))
    together = [*TRAIN[:16], *VALIDATION]
    twin = TemporalAggregation(same, PlantedSource(3.0)).fit(together, TEST)
    answers = [r.predict_proba(unlabelled(TEST)) for r in (recognizer, twin)]
    np.testing.assert_array_equal(*answers)
    assert recognizer.card["fitted_on"]["mean picture"] == ["train", "validation"]
    assert recognizer.card["labels_used"] == {"weights": ["train", "validation"]}


def test_conv_blocks_are_the_papers_five_and_say_when_images_are_too_small():
    _, settings = load_preset("temporal-aggregation-paper")
    blocks = ConvBlocks((3, 224, 224), settings.channels)
    kinds = [type(layer).__name__ for layer in blocks.layers]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 5
    assert blocks.size == 256 * 7 * 7
    assert ConvBlocks((1, 192, 120), settings.channels).size == 256 * 6 * 3
    with pytest.raises(SettingsError, match="16 x 40 are too small for 5 blocks"):
        ConvBlocks((1, 16, 40), settings.channels)


def test_the_running_mean_is_that_of_the_features_seen():
    mean = FeatureMean(3).train()
    everyone = torch.ones(4, dtype=torch.bool)
    torch.manual_seed(0)
    for _ in range(300):
        mean(torch.randn(4, 3) + torch.tensor([1.0, -2.0, 5.0]), everyone, everyone)
    torch.testing.assert_close(mean.mean, torch.tensor([1.0, -2.0, 5.0]), atol=0.5, rtol=0)
    mean.eval()
    has, kept = torch.tensor([True, False, True]), torch.tensor([True, True, False])
    rows = mean(torch.tensor([[1.0, 1, 1], [2, 2, 2]]), has, kept)
    torch.testing.assert_close(rows, torch.stack([torch.ones(3), mean.mean, mean.mean]))


def test_modality_dropout_hides_one_half_of_so_many_clips():
    net = network(modality_dropout=0.4).train()
    batch = drawn_batch(clips=2000)
    torch.manual_seed(0)
    kept = net._kept(batch)
    assert bool((kept["video"] | kept["sound"]).all())
    for name in ("video", "sound"):
        assert 0.16 < float((~kept[name]).float().mean()) < 0.24
    assert all(rows.all() for rows in net.eval()._kept(batch).values())
    lacking = replace(batch, present={**batch.present, "sound": ~batch.present["sound"]})
    assert bool(net.train()._kept(lacking)["video"].all())  # never the only half there is


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
    other.network, other._classes, other._prior = fitted.network, fitted.classes, fitted._prior
    prediction = other.predict(unlabelled(TEST))
    assert all("no face in 1 of 2 segments" in flags for flags in prediction.flags)
    assert np.isfinite(prediction.by_modality["video"]).all()
    net, batch = fitted.network, drawn_batch()
    blank = torch.tensor([[True, False]]).expand(5, 2)
    pictures = batch.inputs["video"].clone()
    pictures[:, 0] = 77  # what lies below a blank segment must not matter
    twins = [
        replace(batch, blank=blank),
        replace(batch, blank=blank, inputs={**batch.inputs, "video": pictures}),
    ]
    with torch.no_grad():
        assert torch.equal(net(twins[0]), net(twins[1]))
    clips = fitted._load(TRAIN)
    by_hand = torch.stack([p.frames.double().mean(dim=0) for p in clips.pictures]).mean(dim=0)
    torch.testing.assert_close(net.mean_picture.double(), by_hand, rtol=1e-5, atol=1e-3)


def test_more_segments_than_pictures_is_an_error_that_names_the_clip():
    recognizer = TemporalAggregation(replace(TINY, segments=9), PlantedSource())
    with pytest.raises(SettingsError, match=r"Clip 's00-happy-0' has \d pictures .* 9 segments"):
        recognizer.fit(TRAIN, VALIDATION)


def test_averaging_over_draws(fitted):
    answers = {}
    for draws in (0, 1, 20, 60):
        other = TemporalAggregation(replace(fitted.settings, draws=draws), fitted.store)
        other.network, other._classes, other._prior = fitted.network, fitted.classes, fitted._prior
        answers[draws] = other.predict_proba(unlabelled(TEST))
        np.testing.assert_array_equal(answers[draws], other.predict_proba(unlabelled(TEST)))
    assert not np.array_equal(answers[0], answers[1])
    away = {draws: np.abs(answers[draws] - answers[60]).mean() for draws in (1, 20)}
    assert away[20] < 0.5 * away[1]  # a mean over draws settles


def test_an_offset_moves_the_sound_and_leaves_the_original_alone(fitted):
    before = fitted.predict_proba(unlabelled(TEST))
    moved = fitted.with_offset(0.5)
    assert moved.settings.offset_s == 0.5
    assert not np.array_equal(moved.predict_proba(unlabelled(TEST)), before)
    np.testing.assert_array_equal(moved.with_offset(0.0).predict_proba(unlabelled(TEST)), before)
    np.testing.assert_array_equal(fitted.predict_proba(unlabelled(TEST)), before)


def test_a_changed_checkpoint_is_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    facts = json.loads((tmp_path / "recognizer.json").read_text())
    facts["facts"]["settings"]["segments"] = 3
    (tmp_path / "recognizer.json").write_text(json.dumps(facts))
    with pytest.raises(CheckpointError, match=r"networks\.2"):
        TemporalAggregation.load(tmp_path, PlantedSource())


def test_what_cannot_be_learnt_is_said():
    tiny = TemporalAggregation.tiny(PlantedSource(without="sound"))
    with pytest.raises(MissingModalityError, match="'sound'"):
        tiny.fit(TRAIN, VALIDATION)
    with pytest.raises(LabelError, match="no validation clip"):
        TemporalAggregation.tiny(PlantedSource()).fit(TRAIN, [])
    with pytest.raises(SettingsError, match="has not been trained"):
        TemporalAggregation.tiny(PlantedSource()).predict([Clip("c", None, None)])


def test_a_clip_without_a_modality_teaches_the_other(fitted):
    class Some(PlantedSource):
        def get(self, clip, feature):
            lacks = "sound" if clip.clip_id.endswith("-0") else "video"
            self.without = lacks if clip.speaker in ("s00", "s01") else ""
            return super().get(clip, feature)

    recognizer = TemporalAggregation.tiny(Some(3.0)).fit(TRAIN, VALIDATION)
    assert accuracy(recognizer.predict(unlabelled(TEST)), TEST) > 0.6


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"segments": 0}, "segments"), ({"modalities": ("units",)}, "modalities"),
        ({"modalities": ()}, "modalities"), ({"window_s": 0.0}, "window_s"),
        ({"channels": ()}, "channels"), ({"modality_dropout": 1.0}, "modality_dropout"),
        ({"extractors": {"units": SegmentExtractorSettings()}}, "extractors"),
        ({"draws": -1}, "draws"), ({"asynchrony_s": -0.1}, "asynchrony_s"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(wrong, words):
    with pytest.raises(SettingsError, match=words):
        TemporalAggregationSettings(**wrong)


def test_weights_for_what_is_no_resnet_are_refused():
    with pytest.raises(SettingsError, match="for the extractor resnet18, not for gradients"):
        SegmentExtractorSettings("gradients", pretrained="faces-fer2013")


def test_the_paper_preset_holds_the_papers_values():
    model, settings = load_preset("temporal-aggregation-paper")
    assert model is TemporalAggregation
    assert settings == TemporalAggregationSettings(
        training=replace(TemporalAggregationSettings().training, precision="bf16")
    )
    assert (settings.segments, settings.window_s, settings.asynchrony_s) == (10, 1.28, 0.01)
    assert (settings.band_count, settings.column_count) == (192, 120)
    assert settings.pictures["size_px"] == 224
    training = settings.training
    assert (training.optimizer, training.momentum, training.learning_rate) == ("sgd", 0.9, 1e-3)
    assert (training.schedule, training.divide_every_epochs, training.batch_size) == (
        "step",
        50,
        16,
    )
    compact = load_preset("temporal-aggregation-compact")[1]
    assert [2 * c for c in compact.channels] == list(settings.channels)
    assert compact.pictures["size_px"] == 64
    assert (compact.band_count, compact.column_count) == (96, 60)


def test_real_clips_with_and_without_pictures_are_answered(fitted, data_root, tmp_path):
    film = data_root / "javanese-av" / "01-01-03_01.mp4"
    voice = data_root / "ravdess" / "Actor_01" / "03-01-05-01-01-01-01.flac"
    if not (film.is_file() and voice.is_file()):
        pytest.skip("javanese-av or ravdess is not there")
    fitted.save(tmp_path / "run")
    store = FeatureStore(tmp_path / "cache")
    clips = [
        Clip("both", None, None, video=film, sound=film),
        Clip("heard", None, None, sound=voice),
    ]
    prediction = TemporalAggregation.load(tmp_path / "run", store).predict(clips)
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert not np.isnan(prediction.by_modality["video"][0]).any()
    assert np.isnan(prediction.by_modality["video"][1]).all()
    assert "no video" in prediction.flags[1]
    assert prediction.coverage["sound"][1] > 0.5
