"""The recognizer: errors, model card, missing modalities, checkpoints and the paper protocol."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_source import PlantedSource, planted_clips
from tiny import TINY, tiny

from aver.audit.audit_run import FitRecord, find_in_record
from aver.corpora.clip import Clip
from aver.errors import CheckpointError, LabelError, SettingsError
from aver.models.base.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from aver.models.base.presets import load_preset
from aver.models.layers.read_out import ReadOutSettings
from aver.models.synch_graph.read_out import CountReadOut, GraphReadOut
from aver.models.synch_graph.recognizer import SynchGraph
from aver.models.synch_graph.settings import GraphSettings

CLIPS = planted_clips(speakers=6, takes=2)
TRAIN, VALIDATION, TEST = CLIPS[:24], CLIPS[24:32], CLIPS[32:]


def changed(C=2.0, epochs=10, **changes):
    small = tiny(SynchGraph, PlantedSource(C))
    training = replace(small.settings.training, epochs=epochs)
    return SynchGraph(replace(small.settings, training=training, **changes), small.store)


def with_graph(**changes):
    small = tiny(SynchGraph, PlantedSource())
    return changed(graph=replace(small.settings.graph, **changes))


@pytest.fixture(scope="module")
def trained():
    return changed().fit(TRAIN, VALIDATION)


def test_label_edges_between_test_clips_are_refused_before_training():
    refusing = with_graph(label_edges="all")
    with pytest.raises(SettingsError, match="LEAKS"):
        refusing.fit(TRAIN, VALIDATION)
    assert not hasattr(refusing, "_network")


def test_no_clips_no_predictions(trained):
    predictions = trained.predict([])
    assert predictions.probabilities.shape == (0, 4)
    assert predictions.by_modality["audio"].shape == (0, 4)


def test_the_prediction_of_one_modality_is_that_of_clips_that_lack_the_other(trained, tmp_path):
    """The other's spikes must not reach it over the recurrent connections."""
    trained.save(tmp_path)
    for modality, other in (("audio", "video"), ("video", "audio")):
        lacking = SynchGraph.load(tmp_path, PlantedSource(2.0, without=other))
        alone = trained.predict(TEST).by_modality[modality]
        np.testing.assert_allclose(lacking.predict(TEST).probabilities, alone, rtol=1e-5)


def test_the_card_of_the_paper_protocol_reports_the_leak_and_it_cannot_be_saved(tmp_path):
    leaking = changed(C=0.0, epochs=2)
    prediction = leaking.fit_predict_leaking(TRAIN, VALIDATION, TEST)
    assert prediction.clip_ids == tuple(clip.clip_id for clip in TEST)
    record = FitRecord.of_card(leaking.card, "synch-graph")
    kinds = {finding.kind for finding in find_in_record(record, 1, {})}
    assert "test-labels-used" in kinds
    with pytest.raises(SettingsError):
        leaking.save(tmp_path)
    assert SynchGraph.protocol_leaks


@pytest.mark.parametrize("changes", [{"label_edges": "train"}, {"intra_clip_edges": "shuffled"}])
def test_variants_of_the_edges_train_and_predict(changes):
    recognizer = with_graph(**changes).fit(TRAIN, VALIDATION)
    predictions = recognizer.predict([clip.without_labels() for clip in TEST])
    assert np.isfinite(predictions.probabilities).all()
    record = FitRecord.of_card(recognizer.card, "synch-graph")
    assert list(find_in_record(record, 1, {})) == []
    assert ("label edges" in record.labels_used) == ("label_edges" in changes)


@pytest.mark.parametrize("kind", ["vote", "selective-vote", "logistic"])
def test_read_outs_of_counts_use_the_same_spikes_and_are_saved(kind, tmp_path):
    recognizer = changed(read_out="counts", counts=ReadOutSettings(kind)).fit(TRAIN, VALIDATION)
    predictions = recognizer.predict(TEST)
    right = sum(a == clip.emotion for a, clip in zip(predictions.labels, TEST, strict=True))
    assert right > len(TEST) / 2
    recognizer.save(tmp_path)
    loaded = SynchGraph.load(tmp_path, recognizer.store)
    np.testing.assert_array_equal(loaded.predict(TEST).probabilities, predictions.probabilities)


def test_the_prediction_of_a_clip_does_not_depend_on_the_others(trained):
    together = trained.predict(TEST)
    alone = np.concatenate([trained.predict([clip]).probabilities for clip in TEST])
    np.testing.assert_allclose(alone, together.probabilities, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("label_edges", ["none", "train"])
def test_label_edges_join_training_clips_and_no_others(label_edges, monkeypatch):
    batches = []

    def recorded(self, training, held_out, seed, run_folder):
        batches.extend([training, held_out])
        fit(self, training, held_out, seed, run_folder)

    fit = GraphReadOut._fit
    monkeypatch.setattr(GraphReadOut, "_fit", recorded)
    with_graph(label_edges=label_edges).fit(TRAIN, VALIDATION)
    training, held_out = batches
    assert held_out.label_edges is None
    if label_edges == "none":
        assert training.label_edges is None
    else:
        assert training.label_edges.label.tolist() == training.labels.tolist()
        assert training.label_edges.degrees.max() > 0


def test_frozen_clips_are_shown_on_one_core(trained, monkeypatch):
    import aver.spiking.run

    asked = []
    run_clips = aver.spiking.run.run_clips

    def watched(engine, clips, learn, record, threads, *others):
        asked.append(threads)
        return run_clips(engine, clips, learn, record, threads, *others)

    monkeypatch.setattr(aver.spiking.run, "run_clips", watched)
    trained.predict(TEST[:4])
    assert set(asked) == {1}


def test_a_single_modality_has_no_recurrent_connections():
    one = changed(modalities=("audio",)).fit(TRAIN, VALIDATION)
    connections = one._network.layers.network.connections
    assert list(connections) == ["audio input->audio"]
    both = changed().fit(TRAIN, VALIDATION)
    connections = both._network.layers.network.connections
    assert {"video->audio", "audio->video"} < set(connections)


def test_recurrent_connections_learn_and_the_audio_is_late(trained):
    network = trained._network.layers.network
    assert network.sources["audio input"].lag_ms == 5.0
    assert network.sources["video input"].lag_ms == 0.0
    gain = trained.settings.spiking.link_gain
    for one, other in (("audio", "video"), ("video", "audio")):
        link, own = (network.connections[f"{name}->{other}"] for name in (one, f"{other} input"))
        assert link.normal_sum == pytest.approx(gain * own.normal_sum)
    fresh = trained._new_network(seed=0).layers.network
    for name in ("audio->video", "video->audio"):
        before, after = fresh.weights(name), network.weights(name)  # (positions, fan-in, maps)
        before, after = (w / w.sum(axis=1, keepdims=True) for w in (before, after))
        assert np.abs(before - after).max() > 1e-3


def test_a_checkpoint_that_lacks_an_array_is_refused(trained, tmp_path):
    trained.save(tmp_path)
    whole = read_checkpoint(tmp_path)
    weights = {name: v for name, v in whole.weights.items() if name != "spiking/theta/video"}
    write_checkpoint(tmp_path, Checkpoint(whole.model, weights, whole.facts, whole.card))
    with pytest.raises(CheckpointError, match="do not fit"):
        SynchGraph.load(tmp_path, trained.store)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("spiking/extra", np.zeros(3)),
        ("foreign array", np.zeros(3)),
        ("zero/audio", np.zeros((3, 1))),
        ("read_out/encoder/mean", np.zeros(3)),
    ],
)
def test_a_checkpoint_with_other_shapes_or_foreign_arrays_is_refused(
    name, found, trained, tmp_path
):
    trained.save(tmp_path)
    whole = read_checkpoint(tmp_path)
    weights = {**whole.weights, name: found}
    write_checkpoint(tmp_path, Checkpoint(whole.model, weights, whole.facts, whole.card))
    with pytest.raises(CheckpointError, match="do not fit"):
        SynchGraph.load(tmp_path, trained.store)


def test_a_read_out_of_other_neurons_is_refused(tmp_path):
    recognizer = changed(read_out="counts", counts=ReadOutSettings("vote")).fit(TRAIN, VALIDATION)
    recognizer.save(tmp_path)
    whole = read_checkpoint(tmp_path)
    weights = {**whole.weights, "read_out/label": whole.weights["read_out/label"][1:]}
    write_checkpoint(tmp_path, Checkpoint(whole.model, weights, whole.facts, whole.card))
    with pytest.raises(CheckpointError, match="neurons"):
        SynchGraph.load(tmp_path, recognizer.store)


def test_validation_clips_of_other_classes_do_not_count():
    other = [replace(clip, emotion="disgust") for clip in VALIDATION]
    with pytest.raises(LabelError, match="no validation clip"):
        changed().fit(TRAIN, other)


def test_after_a_failed_fit_nothing_can_be_predicted(monkeypatch):
    recognizer = changed(read_out="counts").fit(TRAIN, VALIDATION)

    def fails(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(CountReadOut, "fit", fails)
    with pytest.raises(KeyboardInterrupt):
        recognizer.fit(TRAIN, VALIDATION, seed=1)
    with pytest.raises(SettingsError, match="has not been trained"):
        recognizer.predict(TEST)


def test_settings_out_of_range():
    for changes in ({"hidden": 0}, {"dropout": 1.0}, {"window_ms": 0.0}):
        with pytest.raises(SettingsError, match=next(iter(changes))):
            GraphSettings(**changes)
    with pytest.raises(SettingsError, match="fingerprint"):
        GraphSettings(loss="node", pooling="fingerprint")
    with pytest.raises(SettingsError, match="modality"):
        changed(modalities=("action_units",))
    swapped = {
        "audio": TINY["synch-graph"].inputs["video"],
        "video": TINY["synch-graph"].inputs["audio"],
    }
    with pytest.raises(SettingsError, match="needs a feature of video"):
        changed(inputs=swapped)


def test_the_papers_preset_has_160_neurons():
    kind, settings = load_preset("synch-graph-paper")
    recognizer = kind(settings, PlantedSource())
    network = recognizer._new_network(0)
    assert network.positions == {"video": 4, "audio": 4}
    assert sum(network.positions.values()) * settings.spiking.maps == 160
    _, full = load_preset("synch-graph-paper", {"inputs.audio.stride": [40, 40]})
    positions = kind(full, PlantedSource())._new_network(0).positions
    assert sum(positions.values()) * full.spiking.maps == 260


def test_an_unlabeled_clip_cannot_be_trained_on():
    with pytest.raises(LabelError):
        changed().fit([*TRAIN, Clip("x", "s00", None)], VALIDATION)
