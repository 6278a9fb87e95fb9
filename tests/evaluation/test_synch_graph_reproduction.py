"""Which runs the tables and figures of Synch-Graph ask for, and what is printed beside them."""

from __future__ import annotations

import pytest

from aver.errors import SettingsError
from aver.evaluation.published import published
from aver.evaluation.reproduce import ReproductionSettings, reproductions, requests_of
from aver.models.base.presets import load_preset


def asked(corpus="ravdess", speakers=24, **changes):
    settings = ReproductionSettings(corpus, speakers, "synch-graph-compact", **changes)
    return reproductions.get("synch-graph")(settings)


def test_the_paper_protocol_is_the_one_that_leaks():
    protocols = asked().table("1").protocols
    assert protocols["paper"].leaking
    assert protocols["paper"].rule_settings == {"shares": "60/20/20"}
    assert not protocols["clean"].leaking
    assert protocols["clean"].rule == "speaker-kfold"
    assert asked(speakers=8).table("1").protocols["clean"].rule == "leave-one-speaker-out"


@pytest.mark.parametrize(
    ("corpus", "table", "values"),
    [
        ("ravdess", "1", [58.33, 83.3, 97.26, 98.3]),
        ("enterface", "2", [62.8, 71.47, 81.84, 85.87, 86.3, 96.82]),
        ("ravdess", "3", [57.5, 42.6, 83.3, 98.3]),
        ("enterface", "3", [65.3, 43.51, 86.3, 96.82]),
        ("synthetic", "1", []),
    ],
)
def test_printed_numbers_stand_in_the_papers_order(corpus, table, values):
    rows = asked(corpus).table(table).rows
    assert [published(row.published).value for row in rows if row.published] == values
    assert rows[-1].label == "Synch-Graph"


@pytest.mark.parametrize("table", ["1", "2", "3", "graph", "windows"])
def test_every_row_is_a_system_that_exists(table):
    plan = asked().table(table)
    labels = {row.label for row in plan.rows if row.system}
    for row in plan.rows:
        if row.system:
            load_preset(row.system.preset, row.system.overrides)
    assert all(one in labels and two in labels for one, two in plan.compared)


def test_figures_3_and_4_differ_in_layers_only():
    layers = []
    for number in ("3", "4"):
        system = asked().one_system(number).system
        layers.append(load_preset(system.preset, system.overrides)[1].graph.layers)
    assert layers == [2, 3]
    assert asked().curve("windows").places == (5.0, 20.0, 50.0, 150.0)


def test_one_modality_leaves_the_other_out_of_the_ablation():
    rows = asked(overrides={"modalities": ["audio"]}).table("3").rows
    labels = [row.label for row in rows]
    assert "audio, SNN" in labels
    assert "video, SNN" not in labels


def test_the_cross_modal_row_is_made_by_the_same_command():
    """Its own leaking protocol is of public scripts, so the paper's protocol fits it as usual."""
    for size in ("compact", "paper"):
        settings = ReproductionSettings("ravdess", 24, f"synch-graph-{size}")
        plan = reproductions.get("synch-graph")(settings).table("3")
        system = next(row.system for row in plan.rows if "cross-modal" in row.label)
        assert system.preset == f"snn-cross-modal-{size}"
        (enhanced,) = requests_of(system, plan, "paper", (0,), "k")
        (graph,) = requests_of(plan.rows[-1].system, plan, "paper", (0,), "k")
        assert not enhanced.protocol.leaking
        assert graph.protocol.leaking
        assert enhanced.protocol.rule_settings == graph.protocol.rule_settings


def test_recalls_in_print_stand_beside_the_figures_of_their_corpus():
    def values(corpus, number):
        printed = asked(corpus).one_system(number).printed
        return {
            column: {label: published(key).value for label, key in keys.items()}
            for column, keys in printed.items()
            if keys
        }

    assert values("ravdess", "6") == {"paper": {"surprised": 92.9}}
    assert values("enterface", "7") == {"paper": {"sad": 92.0}}
    (others,) = values("enterface", "5").values()
    assert others == {
        "angry": 90.61, "disgust": 89.55, "happy": 92.13, "sad": 83.93, "surprised": 79.72,
    }  # fmt: skip
    assert values("javanese-av", "6") == {}


def test_the_papers_preset_pools_by_the_sum_and_codes_as_paper_1():
    settings = load_preset("synch-graph-paper")[1]
    assert settings.graph.pooling == "sum"
    layers = load_preset("snn-cross-modal-paper")[1]
    for name in ("video", "audio"):
        assert settings.inputs[name].coding == getattr(layers, name).coding


def test_an_unknown_table_is_an_error():
    with pytest.raises(SettingsError, match="graph"):
        asked().table("9")
