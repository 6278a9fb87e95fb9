"""Rates, labels of neurons and read-outs of the spiking recognisers, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.errors import FeatureError, SettingsError
from aver.features.audio_functionals import AudioFunctionals
from aver.features.feature import FeatureRecord
from aver.features.mfcc import MFCC
from aver.models.layers.rate_coding import (
    InputSettings,
    LayerInputs,
    RateCoding,
    feature_shape,
    fit_coding,
    load_layer_clips,
)
from aver.models.layers.score_classifier import best_temperature
from aver.models.snn_cross_modal.read_out import (
    NeuronLabels,
    ReadOut,
    ReadOutSettings,
    SelectiveVote,
    label_neurons,
)
from aver.models.snn_cross_modal.settings import (
    DynamicsSettings,
    EarlyFusionSettings,
    LayerSettings,
    OneLayerSettings,
    TwoLayerSettings,
)
from aver.models.synch_graph.spiking_network import RecurrentSettings

CHANCE = np.random.default_rng(0)
TRACKS = [CHANCE.normal([[1.0], [-5.0]], [[2.0], [0.5]], (2, n)) for n in (30, 50, 40)]
EVERYTHING = np.concatenate(TRACKS, axis=1)  # (rows, values)


def test_on_and_off_channels_share_the_z_score() -> None:
    rates = fit_coding(RateCoding(limit=2.0), TRACKS).rates_hz(TRACKS[0])
    mean, std = EVERYTHING.mean(axis=1), EVERYTHING.std(axis=1)
    z = (TRACKS[0] - mean[:, None]) / std[:, None]
    assert rates.shape == (4, 30)
    assert np.allclose(rates[0::2] - rates[1::2], 63.75 * z.clip(-2, 2) / 2, atol=1e-3)
    assert (np.minimum(rates[0::2], rates[1::2]) == 0).all()


def test_on_and_off_inputs_apart_are_the_same_rates_in_two_blocks() -> None:
    mixed = fit_coding(RateCoding(), TRACKS).rates_hz(TRACKS[1])
    apart = fit_coding(RateCoding(apart=True), TRACKS).rates_hz(TRACKS[1])
    assert np.array_equal(apart, np.concatenate([mixed[0::2], mixed[1::2]]))


def test_windows_count_rows_of_the_feature() -> None:
    mixed = InputSettings(window=(2, 5), stride=(1, 5)).windows((12, 20))
    assert (mixed.size, mixed.stride) == ((4, 5), (2, 5))
    whole = InputSettings().windows((12, 20))
    assert (whole.size, whole.stride) == ((12, 10), (12, 10))
    coding = RateCoding(apart=True)
    apart = InputSettings(coding=coding, window=(2, 5), stride=(2, 5)).windows((12, 20))
    assert (apart.size, apart.stride) == ((2, 5), (2, 5))
    half = InputSettings(coding=coding).windows((12, 20))
    assert half.size == (6, 10)
    with pytest.raises(SettingsError, match="together"):
        InputSettings(coding=coding, window=(4, 5), stride=(4, 5)).windows((12, 20))
    with pytest.raises(SettingsError, match="does not fit"):
        InputSettings(window=(2, 30), stride=(2, 30)).windows((12, 20))


def test_other_codings() -> None:
    least, most = EVERYTHING.min(axis=1), EVERYTHING.max(axis=1)
    between = fit_coding(RateCoding(scale="min-max"), TRACKS).rates_hz(TRACKS[1])
    expected = 63.75 * (TRACKS[1] - least[:, None]) / (most - least)[:, None]
    assert np.allclose(between, expected, atol=1e-3)
    beyond = fit_coding(RateCoding(scale="min-max"), TRACKS).rates_hz(TRACKS[1] + 100)
    assert (beyond == 63.75).all()
    shifted = fit_coding(RateCoding(channels="shifted", highest_rate_hz=10.0), TRACKS)
    assert np.allclose(shifted.rates_hz(EVERYTHING.mean(axis=1, keepdims=True)), 5.0)
    whole = fit_coding(RateCoding(channels="on", over="all"), TRACKS)
    assert whole.zero.item() == pytest.approx(EVERYTHING.mean())
    assert whole.unit.item() == pytest.approx(EVERYTHING.std())


def test_images_are_scaled_pixel_by_pixel() -> None:
    images = [CHANCE.normal(CHANCE.normal(size=(4, 5)), 2.0, (n, 4, 5)) for n in (3, 7, 2)]
    fitted = fit_coding(RateCoding(over="pixels", channels="shifted"), images)
    everything = np.concatenate(images)
    assert np.allclose(fitted.zero, everything.mean(axis=0))
    assert np.allclose(fitted.unit, everything.std(axis=0))
    usual = fitted.rates_hz(everything.mean(axis=0)[np.newaxis])
    assert np.allclose(usual, 63.75 / 2)
    with pytest.raises(FeatureError, match="one size"):
        fit_coding(RateCoding(over="pixels"), TRACKS)
    with pytest.raises(FeatureError, match="pixel by pixel"):
        fitted.rates_hz(everything[:, :, :4])


def test_a_row_that_never_changes_is_silent() -> None:
    flat = [np.full((1, 5), 7.0)]
    for scale in ("z-score", "min-max"):
        assert not fit_coding(RateCoding(scale=scale), flat).rates_hz(flat[0]).any()


class Tracks:
    """A source with one track for each clip; none for a clip named 'deaf'."""

    def get(self, clip, feature):
        if clip.clip_id == "deaf":
            return FeatureRecord.absent("no audio")
        return FeatureRecord({"units": TRACKS[int(clip.clip_id)].T}, coverage=0.5)


def test_short_clips_end_in_silence_and_missing_ones_stay_missing() -> None:
    clips = [Clip(name, None, None) for name in ("0", "deaf", "1")]
    loaded = load_layer_clips(clips, MFCC(), Tracks())
    inputs = LayerInputs(RateCoding(), (2, 50))
    inputs.fit(loaded)
    first, missing, last = inputs.rates_hz(loaded)
    assert missing is None
    assert loaded.flags == ((), ("no audio",), ())
    assert loaded.coverage.tolist() == [0.5, 0.0, 0.5]
    assert first.shape == last.shape == (4, 50) == inputs.input_shape
    assert not first[:, 30:].any()
    assert first[:, :30].any()
    again = LayerInputs(RateCoding(), (2, 40), inputs.fitted)
    with pytest.raises(FeatureError, match="up to 40 columns"):
        again.rates_hz(loaded)


def test_shapes_of_features() -> None:
    assert feature_shape(MFCC(coefficients=20, step_frames=2, frame_count=99)) == (40, 99)
    with pytest.raises(SettingsError, match="audio-functionals"):
        feature_shape(AudioFunctionals())


COUNTS = np.array(
    # two positions of three neurons
    [
        [5, 0, 1, 4, 0, 0],
        [6, 0, 0, 3, 1, 0],
        [0, 4, 1, 0, 5, 0],
        [1, 2, 0, 0, 7, 0],
    ]
)
LABELS = np.array([0, 0, 1, 1])


def test_neurons_stand_for_the_class_that_drives_them_most() -> None:
    labelled = label_neurons(COUNTS, LABELS, 2)
    assert labelled.label.tolist() == [0, 1, 0, 0, 1, -1]  # equal means: the first class


def test_three_votes_by_hand() -> None:
    labelled = NeuronLabels(np.array([0, 1, 0, 0, 1, -1]), 2)
    clip = np.array([[2, 6, 1, 0, 3, 9]])
    assert labelled.scores(clip, 2, "vote").tolist() == [[1.0, 4.5]]
    assert labelled.scores(clip, 2, "winner").tolist() == [[0.0, 1.0]]  # the other has no label
    many = NeuronLabels(np.repeat([0, 1], 10), 2)
    spikes = np.arange(20)[np.newaxis]
    assert many.scores(spikes, 1, "active-tenth").tolist() == [[0.0, 0.2]]


def test_a_selective_vote_by_hand() -> None:
    counts = np.array([[1, 0, 9], [1, 4, 4], [9, 4, 9], [9, 16, 4]])
    labels = np.array([0, 0, 1, 1])
    vote = SelectiveVote.learn(counts, labels, 2, sharpness=1.0)
    # Roots: neuron 0 has 1, 1, 3, 3; neuron 1 has 0, 2, 2, 4; neuron 2 tells nothing apart.
    assert vote.label.tolist() == [1, 1, 0]
    assert vote.mean.tolist() == [2.0, 2.0, 2.5]
    expected = np.array([1.0, 1 / np.sqrt(2)])  # mean standard scores of class 1
    assert np.allclose(vote.weight[:2], expected / expected.sum())
    assert vote.weight[2] == 0  # weightless: class 0 has no voice, which is its usual one
    new = np.array([[4, 0, 100]])
    voice = (vote.weight[:2] * [0.0, -2 / np.sqrt(2)]).sum()
    standard = (np.sqrt(counts[:, :2]) - vote.mean[:2]) / vote.std[:2] @ vote.weight[:2]
    assert np.allclose(vote.scores(new), [[0.0, voice / standard.std()]])
    assert vote.scores(counts).argmax(axis=1).tolist() == labels.tolist()


def test_a_selective_vote_hears_what_a_plain_one_cannot() -> None:
    """Neurons that fire in every clip, a little more for their class: the mean rate drowns it."""
    chance = np.random.default_rng(1)
    labels = np.arange(400) % 4
    usual = np.repeat([400, 40, 90, 10], 5)
    own = np.arange(20) // 5 == labels[:, np.newaxis]
    counts = chance.poisson(usual * (1 + 1.5 * own / np.sqrt(usual)))
    known, new = (counts[:200], labels[:200]), (counts[200:], labels[200:])
    right = {}
    for kind in ("vote", "selective-vote"):
        read_out = ReadOut(ReadOutSettings(kind), 1, np.full(4, 0.25))
        read_out.fit(known, new, refit=False)
        predictions = read_out.probabilities(new[0])
        assert np.allclose(predictions.sum(axis=1), 1)
        right[kind] = (predictions.argmax(axis=1) == new[1]).mean()
    assert right["vote"] < 0.3
    assert right["selective-vote"] > 0.8


def test_a_silent_clip_gets_the_prior() -> None:
    prior = np.array([0.3, 0.7])
    for kind in ("vote", "winner", "active-tenth"):
        read_out = ReadOut(ReadOutSettings(kind), 2, prior)
        read_out.fit((COUNTS, LABELS), (COUNTS[:0], LABELS[:0]), refit=False)
        predictions = read_out.probabilities(np.vstack([COUNTS[0], np.zeros(6, int)]))
        assert predictions[1].tolist() == prior.tolist()
        assert predictions[0, 0] > 0.8


def test_refit_labels_neurons_by_validation_clips_too() -> None:
    alone, joined = (ReadOut(ReadOutSettings("vote"), 2, np.full(2, 0.5)) for _ in range(2))
    later = (np.tile([0, 0, 0, 0, 0, 3], (2, 1)), np.array([1, 1]))
    alone.fit((COUNTS, LABELS), later, refit=False)
    joined.fit((COUNTS, LABELS), later, refit=True)
    assert alone.labels.label[5] == -1
    assert joined.labels.label[5] == 1


@pytest.mark.parametrize("kind", ["logistic", "selective-vote"])
def test_without_refit_validation_clips_choose_and_teach_nothing(kind) -> None:
    """Where they are test clips too, what is learnt from them would be learnt from the answers."""
    chance = np.random.default_rng(0)
    labels = np.arange(60) % 3
    counts = chance.poisson(9 + 4 * (np.arange(12) % 3 == labels[:, np.newaxis]))
    train, held_out = (counts[:30], labels[:30]), (counts[30:], labels[30:])
    alone, joined = (ReadOut(ReadOutSettings(kind), 1, np.full(3, 1 / 3)) for _ in range(2))
    alone.fit(train, held_out, refit=False)
    joined.fit(train, held_out, refit=True)
    for read_out, of in ((alone, train[0]), (joined, counts)):
        found = read_out.classifier or read_out.selective
        assert np.allclose(found.mean, np.sqrt(of).mean(axis=0))
    # How sure the answers are is set by clips that nothing was learnt from, refit or not.
    first = alone.classifier or alone.selective
    scores = first.scores(np.sqrt(held_out[0]) if kind == "logistic" else held_out[0])
    best = best_temperature(scores, held_out[1])
    assert first.temperature == pytest.approx(best)
    assert (joined.classifier or joined.selective).temperature == pytest.approx(best)


def test_dynamics_change_what_they_name_and_nothing_else() -> None:
    base = DynamicsSettings().resolve()
    changed = DynamicsSettings(
        rule="power-law", reach="all", theta_step_mv=0.3, intensity=2.0, passes=3, stimulus_ms=100.0
    ).resolve()
    assert type(changed.rule).__name__ == "PowerLawPairRule"
    assert changed.inhibition.reach == "all"
    assert changed.inhibition.to_excitatory == base.inhibition.to_excitatory
    assert changed.homeostasis.step_mv == 0.3
    assert changed.homeostasis.decay_ms == base.homeostasis.decay_ms
    assert changed.simulation.intensity.start == 2.0
    assert changed.simulation.timing.rest_ms == base.simulation.timing.rest_ms
    assert changed.passes == 3
    assert DynamicsSettings(base="paper-1").resolve().inhibition.reach == "all"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LayerSettings(window=(1,)), "two numbers"),
        (lambda: LayerSettings(features=0), "features"),
        (lambda: DynamicsSettings(passes=0), "passes"),
        (lambda: DynamicsSettings(normal_sum_per_input=-1.0), "normal_sum_per_input"),
        (lambda: RateCoding(limit=0.0), "limit"),
        (lambda: ReadOutSettings(Cs=()), "Cs"),
        (lambda: ReadOutSettings(sharpness=-1.0), "sharpness"),
        (lambda: OneLayerSettings(threads=0), "threads"),
        (lambda: TwoLayerSettings(link_gain=-0.1), "link_gain"),
        (lambda: TwoLayerSettings(link_gain=float("nan")), "link_gain"),
        (lambda: EarlyFusionSettings(lag_ms=float("nan")), "lag_ms"),
        (lambda: RateCoding(limit=float("nan")), "limit"),
        (lambda: ReadOutSettings(Cs=(0.1, float("nan"))), "Cs"),
        (lambda: RecurrentSettings(link_gain=float("nan")), "link_gain"),
    ],
)
def test_settings_out_of_range(make, words) -> None:
    with pytest.raises(SettingsError, match=words):
        make()
