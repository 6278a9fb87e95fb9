"""The tables of the paper on temporal aggregation ask for runs that exist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aver.corpora import Clip, Corpus
from aver.errors import SettingsError
from aver.evaluation.published import published
from aver.evaluation.reproduction import Reproduction, ReproductionSettings, reproductions
from aver.models.base.presets import load_preset
from aver.splits import make_split
from aver.splits.rule import split_rules


def paper(**changes: object) -> Reproduction:
    settings = ReproductionSettings(
        corpus="cremad", speakers=91, preset="temporal-aggregation-paper"
    )
    return reproductions.get("temporal-aggregation")(replace(settings, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", ["temporal-aggregation-paper", "temporal-aggregation-compact"])
@pytest.mark.parametrize("number", ["I", "segments", "weights", "b"])
def test_every_run_has_settings_that_exist(number: str, preset: str) -> None:
    plan = paper(preset=preset).table(number)
    labels = [row.label for row in plan.rows]
    for row in plan.rows:
        if row.system is not None:
            load_preset(row.system.preset, row.system.overrides)
        assert set(row.fused_from) <= set(labels)
    for pair in plan.compared:
        assert set(pair) <= set(labels)


def test_sizes_name_what_replaces_the_preset() -> None:
    assert paper().settings.sizes() == "preset temporal-aggregation-paper"
    changed = paper(overrides={"segments": 3, "weights": "shared"}).settings.sizes()
    assert changed == 'preset temporal-aggregation-paper with segments=3 weights="shared"'


def test_table_1_is_of_ten_segments_beside_one_and_its_halves() -> None:
    rows = {row.label: row for row in paper().table("I").rows}
    proposed = rows["proposed method, N = 10"]
    assert load_preset(proposed.system.preset, proposed.system.overrides)[1].segments == 10
    assert published(proposed.published).value == 68.4
    assert published(rows["CNN-based approach, N = 1"].published).value == 55.8
    assert published(rows["RMA"].published).value == 65.0
    assert rows["RMA"].system is None
    audio = rows["audio only, N = 10, ours"].system
    assert load_preset(audio.preset, audio.overrides)[1].modalities == ("audio",)
    elsewhere = paper(corpus="manifest").table("I").rows
    assert not any(row.published for row in elsewhere)
    assert all(row.system or row.fused_from for row in elsewhere)


@pytest.mark.parametrize("number", ["5", "b"])
def test_a_curve_has_a_place_for_every_row_of_its_table(number: str) -> None:
    plan = paper().curve(number)
    rows = paper().table(plan.table).rows
    assert len(rows) == len(plan.places)
    name = {"5": "segments", "b": "asynchrony_s"}[number]
    for row, place in zip(rows, plan.places, strict=True):
        settings = load_preset(row.system.preset, row.system.overrides)[1]
        assert getattr(settings, name) == place


def test_protocols_are_ten_folds_of_actors_leaking_and_nested() -> None:
    for speakers, folds in ((91, 10), (8, 8)):
        protocols = paper(speakers=speakers).table("I").protocols
        for kind, validation in (("paper", "test"), ("clean", "nested")):
            rule = split_rules.get(protocols[kind].rule)(**protocols[kind].rule_settings)
            assert (rule.folds, rule.validation) == (folds, validation)
    clean = paper(clean_rule="leave-one-speaker-out").one_system("3").protocols["clean"]
    assert clean.rule == "leave-one-speaker-out"


def test_91_actors_are_split_into_ten_folds_and_each_is_tested_once() -> None:
    sexes = {f"{1001 + place}": "male" if place < 48 else "female" for place in range(91)}
    clips = [Clip(f"{n}-{w}", n, w, sex=sex) for n, sex in sexes.items() for w in ("happy", "sad")]
    corpus = Corpus("cremad", Path("nowhere"), tuple(clips))
    for number in ("I", "segments"):
        for kind, protocol in paper().table(number).protocols.items():
            split = make_split(corpus, protocol.rule, **protocol.rule_settings)
            assert len(split.folds) == 10
            parts = [
                {
                    part: {clip.speaker for clip in corpus.select(getattr(fold, part))}
                    for part in ("train", "validation", "test")
                }
                for fold in split.folds
            ]
            tested = [name for part in parts for name in part["test"]]
            assert sorted(tested) == sorted(sexes)
            assert {len(part["test"]) for part in parts} == {9, 10}
            for part in parts:
                assert not part["train"] & (part["validation"] | part["test"])
                assert (part["validation"] == part["test"]) == (kind == "paper")
                assert len(set().union(*part.values())) == 91
            assert bool(split.leaks) == (kind == "paper")


def test_unknown_tables_and_figures_are_refused() -> None:
    with pytest.raises(SettingsError, match="no table 'II'"):
        paper().table("II")
    with pytest.raises(SettingsError, match="no curve '4'"):
        paper().curve("4")
    with pytest.raises(SettingsError, match="no figure of one system '5'"):
        paper().one_system("5")
    with pytest.raises(SettingsError, match="action units cannot take its place"):
        paper(video=("action_units",)).table("I")
