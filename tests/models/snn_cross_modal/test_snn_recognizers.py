"""The spiking recognizers: links, missing modalities, threads, the leaking protocol, images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_source import PlantedSource, planted_clips
from safetensors.numpy import load_file, save_file
from tiny import tiny

from aver.errors import CheckpointError, MissingModalityError, SettingsError
from aver.features.feature import FeatureRecord
from aver.models.base.presets import load_preset
from aver.models.snn_cross_modal.network import INPUT, LAYER
from aver.models.snn_cross_modal.plots import _link_weights
from aver.models.snn_cross_modal.recognizer import (
    NEURONS_LABELED_ON_TEST,
    SnnAudio,
    SnnCrossModal,
    SnnEarlyFusion,
    SnnVideo,
)
from aver.models.snn_cross_modal.settings import LayerSettings, OneLayerSettings
from aver.spiking import Spikes

KINDS = [SnnAudio, SnnVideo, SnnCrossModal, SnnEarlyFusion]
CLIPS = planted_clips(speakers=6, takes=4)  # 96 clips
SPEAKERS = sorted({clip.speaker for clip in CLIPS})
TRAIN, VALIDATION, TEST = (
    [clip for clip in CLIPS if clip.speaker in speakers]
    for speakers in (SPEAKERS[:3], SPEAKERS[3:4], SPEAKERS[4:])
)


@pytest.fixture(scope="module")
def enhanced() -> SnnCrossModal:
    """A voice enhanced by a face, trained once."""
    return tiny(SnnCrossModal, PlantedSource(2.0)).fit(TRAIN, VALIDATION, seed=1)


def rates_of(recognizer, clips):
    return recognizer._inputs.rates(clips, recognizer._inputs.load(clips, recognizer.store))


def accuracy(prediction, clips) -> float:
    return float(
        np.mean([a == clip.emotion for a, clip in zip(prediction.labels, clips, strict=True)])
    )


def voting(kind, source):
    small = tiny(kind, source)
    read_out = replace(small.settings.read_out, kind="vote")
    return kind(replace(small.settings, read_out=read_out), source)


def crowded(kind):
    """A recognizer of noise with many more neurons than there are test clips."""
    recognizer = voting(kind, PlantedSource(0.0))
    settings = recognizer.settings
    layers = {name: replace(getattr(settings, name), features=100) for _, name in kind.layer_fields}
    group = {"features": 300} if kind is SnnEarlyFusion else {}
    return kind(replace(settings, **layers, **group), recognizer.store)


@pytest.mark.parametrize("kind", KINDS)
def test_labeled_neurons_learn_the_planted_classes(kind) -> None:
    recognizer = voting(kind, PlantedSource(3.0)).fit(TRAIN, VALIDATION, seed=2)
    assert accuracy(recognizer.predict(TEST), TEST) > 0.6
    labeled = recognizer._read_outs[next(iter(recognizer.features))].labels
    assert set(labeled.label.tolist()) >= {0, 1, 2, 3}


@pytest.mark.parametrize("kind", KINDS)
def test_neurons_labeled_on_the_test_clips_predict_noise(kind, tmp_path) -> None:
    many = crowded(kind)
    honest = many.fit(TRAIN, VALIDATION, seed=1).predict(TEST)
    leaking = crowded(kind)
    prediction = leaking.fit_predict_leaking(TRAIN, VALIDATION, TEST, seed=1)
    assert accuracy(honest, TEST) < 0.5  # chance is 25 %
    assert accuracy(prediction, TEST) > 0.7
    assert leaking.card["labels_used"]["neuron labels"] == ["test"]
    assert kind.protocol_leaks == (NEURONS_LABELED_ON_TEST,)
    with pytest.raises(SettingsError, match="not been trained"):
        leaking.save(tmp_path)
    with pytest.raises(SettingsError, match="not been trained"):
        leaking.predict(TEST)


def test_a_modality_that_lacks_a_class_in_training_gets_no_read_out() -> None:
    class NoFaceOfOneClass(PlantedSource):
        def get(self, clip, feature):
            without = feature.modality if labels[clip.clip_id] == missing else None
            self.without = without if feature.modality == "video" else None
            return super().get(clip, feature)

    labels = {clip.clip_id: clip.emotion for clip in [*TRAIN, *VALIDATION, *TEST]}
    missing = TRAIN[0].emotion
    both = tiny(SnnCrossModal, NoFaceOfOneClass(2.0)).fit(TRAIN, VALIDATION, seed=1)
    assert "video" in both.card["views without a read-out"]
    assert np.isfinite(both.predict(TEST).probabilities).all()
    with pytest.raises(MissingModalityError, match="training clip of each class"):
        tiny(SnnVideo, NoFaceOfOneClass(2.0)).fit(TRAIN, VALIDATION, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_one_and_two_threads_give_the_same(kind) -> None:
    predictions = []
    for threads in (1, 2):
        small = tiny(kind, PlantedSource(1.0))
        recognizer = kind(replace(small.settings, threads=threads), small.store)
        recognizer.fit(TRAIN, VALIDATION, seed=5)
        layers = recognizer._network.layers.values()
        assert {layer.threads for layer in layers} == {threads}
        predictions.append(recognizer.predict_proba(TEST))
    assert np.array_equal(*predictions)
    other = tiny(kind, PlantedSource(1.0)).fit(TRAIN, VALIDATION, seed=6)
    assert not np.array_equal(other.predict_proba(TEST), predictions[0])


@pytest.mark.parametrize("refit", [False, True])
def test_layers_and_codings_learn_from_training_clips_only(refit) -> None:
    """The validation clips choose settings of read-outs, so no layer may have learned from them."""

    def fitted(validation):
        small = tiny(SnnCrossModal, PlantedSource(1.0))
        recognizer = SnnCrossModal(replace(small.settings, refit=refit), small.store)
        return recognizer.fit(TRAIN, validation, seed=3)

    one, two = fitted(VALIDATION), fitted(TEST)
    arrays, others = one._weights(), two._weights()
    unlabeled = [name for name in arrays if name.startswith(("inputs/", "layers/"))]
    assert len(unlabeled) == 9  # two scales and two arrays per modality, and the link
    assert all(np.array_equal(arrays[name], others[name]) for name in unlabeled)
    learned = ["train", "validation"] if refit else ["train"]
    assert one.card["labels_used"]["weights"] == learned
    assert set(map(tuple, one.card["fitted_on"].values())) == {("train",)}


def test_without_the_link_the_audio_layer_equals_that_of_snn_audio_spike_for_spike() -> None:
    source = PlantedSource(1.0)
    alone = tiny(SnnAudio, source).fit(TRAIN, VALIDATION, seed=4)
    small = tiny(SnnCrossModal, source)
    unlinked = SnnCrossModal(replace(small.settings, link_gain=0.0), source)
    unlinked.fit(TRAIN, VALIDATION, seed=4)
    linked = small.fit(TRAIN, VALIDATION, seed=4)
    assert np.array_equal(unlinked.predict_proba(TEST), alone.predict_proba(TEST))
    assert not np.array_equal(linked.predict_proba(TEST), alone.predict_proba(TEST))
    one, two = (
        recognizer._network.spikes_of_one(rates_of(recognizer, TEST))["audio"]
        for recognizer in (alone, unlinked)
    )
    assert len(one.time_ms) > 10
    assert np.array_equal(one.neuron, two.neuron)
    assert np.array_equal(one.time_ms, two.time_ms)


def test_the_face_enhances_the_voice(enhanced) -> None:
    """Spikes of the visual layer lift auditory neurons above threshold."""
    views = enhanced._network.views(rates_of(enhanced, TEST))
    lifted = views["both"].counts.sum(axis=1) - views["audio"].counts.sum(axis=1)
    assert lifted.mean() > 1


def test_the_link_learns_from_the_spikes_of_the_face(enhanced) -> None:
    """Its weights differ from those of a link without any spikes, normalized as often."""
    rates = rates_of(enhanced, TRAIN)
    never = enhanced._new_network(seed=1)
    silence = [Spikes(np.empty(0), np.empty(0, int))] * len(TRAIN)
    never._learn("audio", {INPUT: rates.rates_hz["audio"], "video": silence})
    learned, unused = (
        network.layers["audio"].network.weights(f"video->{LAYER}")
        for network in (enhanced._network, never)
    )
    assert np.abs(learned - unused).max() > 0.05


@pytest.mark.parametrize("gain", [0.5, 0.2])
def test_the_link_is_normalized_on_its_own_and_the_audio_is_late(gain) -> None:
    small = tiny(SnnCrossModal, PlantedSource(2.0))
    settings = replace(small.settings, link_gain=gain, lag_ms=7.0)
    recognizer = SnnCrossModal(settings, small.store).fit(TRAIN[:16], VALIDATION)
    network = recognizer._network.layers["audio"].network
    assert network.sources[INPUT].lag_ms == 7.0
    assert network.sources["video"].lag_ms == 0.0
    link, own = (network.connections[f"{name}->{LAYER}"] for name in ("video", INPUT))
    assert link.normal_sum == pytest.approx(gain * own.normal_sum)
    early = tiny(SnnEarlyFusion, PlantedSource(2.0))
    early = SnnEarlyFusion(replace(early.settings, lag_ms=7.0), early.store)
    early.fit(TRAIN[:16], VALIDATION)
    layers = early._network.layers
    lags_ms = {name: layers[name].network.sources[INPUT].lag_ms for name in early.features}
    assert lags_ms == {"video": 0.0, "audio": 7.0}


@pytest.mark.parametrize("kind", [SnnCrossModal, SnnEarlyFusion])
def test_the_prediction_of_one_modality_is_that_of_clips_that_lack_the_other(
    kind, tmp_path
) -> None:
    recognizer = tiny(kind, PlantedSource(2.0)).fit(TRAIN, VALIDATION, seed=1)
    recognizer.save(tmp_path)
    whole = recognizer.predict(TEST)
    for modality, other in (("audio", "video"), ("video", "audio")):
        lacking = kind.load(tmp_path, PlantedSource(2.0, without=other)).predict(TEST)
        assert np.array_equal(lacking.probabilities, whole.by_modality[modality])
        assert not np.array_equal(whole.probabilities, whole.by_modality[modality])


def test_the_multimodal_group_is_fed_by_both_layers() -> None:
    recognizer = tiny(SnnEarlyFusion, PlantedSource(2.0)).fit(TRAIN, VALIDATION, seed=1)
    rates, network = rates_of(recognizer, TEST), recognizer._network
    whole = network.views(rates)["both"].counts
    for modality in recognizer.features:
        zeros = [np.zeros_like(one) for one in rates.rates_hz[modality]]
        quiet = replace(rates, rates_hz={**rates.rates_hz, modality: zeros})
        assert network.views(quiet)["both"].counts.sum() < whole.sum()


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_threads_than_asked_for(threads, monkeypatch) -> None:
    """The engine's default is all cores for frozen clips."""
    import aver.spiking.run

    asked = []
    run_clips = aver.spiking.run.run_clips

    def watched(engine, clips, learn, record, workers, *others):
        asked.append(workers if not learn else threads)
        return run_clips(engine, clips, learn, record, workers, *others)

    monkeypatch.setattr(aver.spiking.run, "run_clips", watched)
    small = tiny(SnnCrossModal, PlantedSource(1.0))
    recognizer = SnnCrossModal(replace(small.settings, threads=threads), small.store)
    recognizer.fit(TRAIN[:16], VALIDATION).predict(TEST[:4])
    assert len(asked) > 5
    assert set(asked) == {threads}


@pytest.mark.parametrize("kind", [SnnCrossModal, SnnEarlyFusion])
def test_training_clips_that_lack_a_modality_train_the_other(kind) -> None:
    class SomeWithoutFace(PlantedSource):
        def get(self, clip, feature):
            if feature.modality == "video" and clip.clip_id.endswith("-3"):
                return FeatureRecord.absent("no face")
            return super().get(clip, feature)

    recognizer = tiny(kind, SomeWithoutFace(3.0)).fit(TRAIN, VALIDATION, seed=1)
    prediction = recognizer.predict(TEST)
    blind = np.array([clip.clip_id.endswith("-3") for clip in TEST])
    assert np.isnan(prediction.by_modality["video"][blind]).all()
    assert np.isfinite(prediction.by_modality["video"][~blind]).all()
    assert np.array_equal(prediction.probabilities[blind], prediction.by_modality["audio"][blind])
    assert prediction.flags[int(np.flatnonzero(blind)[0])] == ("no face",)


def test_no_training_clip_with_a_face() -> None:
    with pytest.raises(MissingModalityError, match=r"'video'.*no video"):
        tiny(SnnVideo, PlantedSource(without="video")).fit(TRAIN, VALIDATION)


def test_images_go_into_the_run_folder(tmp_path) -> None:
    tiny(SnnCrossModal, PlantedSource(2.0)).fit(TRAIN[:16], VALIDATION, run_folder=tmp_path)
    found = {path.name for path in (tmp_path / "images").iterdir()}
    assert found == {
        *(
            f"{name}-{x}.png"
            for name in ("video", "audio")
            for x in ("spikes", "weights", "window")
        ),
        "audio-from-video.png",
    }


def test_an_image_of_a_link_shows_each_weight_at_its_neurons() -> None:
    weights = np.random.default_rng(0).uniform(0, 1, (3, 7, 2))  # positions, other neurons, maps
    figure = _link_weights(weights, "video", "audio")
    shown = figure.axes[0].images[0].get_array()
    assert shown.shape == (6, 7)
    for position, other, feature_map in ((0, 0, 1), (2, 5, 0), (1, 6, 1)):
        assert shown[2 * position + feature_map, other] == weights[position, other, feature_map]


@pytest.mark.parametrize("read_out", ["logistic", "selective-vote", "vote"])
def test_a_changed_checkpoint_is_refused(read_out, tmp_path) -> None:
    small = tiny(SnnAudio, PlantedSource(2.0))
    read = replace(small.settings.read_out, kind=read_out)
    recognizer = SnnAudio(replace(small.settings, read_out=read), small.store).fit(
        TRAIN, VALIDATION
    )
    recognizer.save(tmp_path)
    path = tmp_path / "weights.safetensors"
    whole = load_file(path)
    learned = {
        key: value[..., :-1] if value.ndim < 2 else value[:-1]
        for key, value in whole.items()
        if key.startswith("read-outs/") and value.ndim
    }
    for changed in (
        {key: value for key, value in whole.items() if "theta" not in key},
        {**whole, "layers/audio:extra": np.zeros(3)},
        {**whole, "layers/audio:theta/layer": np.zeros(3)},
        {**whole, "inputs/audio:zero": np.zeros((3, 1)), "inputs/audio:unit": np.ones((3, 1))},
        {**whole, "inputs/audio:zero": np.zeros((1, 99)), "inputs/audio:unit": np.ones((1, 99))},
        {**whole, **learned},
    ):
        save_file(changed, path)
        with pytest.raises(CheckpointError, match="changed or mixed"):
            SnnAudio.load(tmp_path, PlantedSource(2.0))


@pytest.mark.parametrize("kind", KINDS)
def test_no_clips_no_predictions(kind) -> None:
    predictions = tiny(kind, PlantedSource(2.0)).fit(TRAIN, VALIDATION).predict([])
    assert predictions.probabilities.shape == (0, 4)
    assert {found.shape for found in predictions.by_modality.values()} == {(0, 4)}


def test_a_layer_needs_a_feature_of_its_own_modality() -> None:
    settings = OneLayerSettings(layer=LayerSettings(feature="laplacian-crops", window=(10, 10)))
    with pytest.raises(SettingsError, match="snn-audio needs a feature of audio"):
        SnnAudio(settings, PlantedSource())


def test_the_paper_presets_have_the_sizes_and_constants_of_the_paper() -> None:
    layers = {}
    for preset in ("snn-audio-paper", "snn-video-paper"):
        kind, settings = load_preset(preset)
        recognizer = kind(settings, PlantedSource())
        layers |= recognizer._new_network(0).layers
        together = load_preset("snn-cross-modal-paper")[1]
        (modality,) = recognizer.modalities
        assert getattr(together, modality) == settings.layer
        assert settings.layer.coding.highest_rate_hz == 63.75
    assert layers["audio"].network.sources[INPUT].shape == (40, 388)
    assert layers["video"].network.sources[INPUT].shape == (100, 100)
    audio, video = (layers[name].layers[LAYER] for name in ("audio", "video"))
    assert (audio.positions, audio.neurons) == (38, 38 * 60)
    assert (video.positions, video.neurons) == (100, 100 * 60)
    dynamics = layers["audio"].dynamics
    timing = dynamics.simulation.timing
    assert (timing.stimulus_ms, timing.rest_ms) == (350, 150)
    assert dynamics.inhibition.reach == "all"
    assert type(dynamics.rule).__name__ == "TargetTraceRule"
    assert dynamics.excitatory.excitatory_synapse_ms == 2.0
