"""Tables are filled from runs that are made once, resumed, and marked as the paper discusses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_runs import drawn_run, with_columns

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.published import published
from aver.evaluation.reproduce import (
    RunCache,
    RunRequest,
    fold_accuracies,
    reproduce_table,
    reproductions,
)
from aver.evaluation.reproduction import Protocol, Reproduction, ReproductionSettings, SystemChoice
from aver.evaluation.run import digest
from aver.models.base.presets import load_preset
from aver.splits.rule import split_rules


def mrpn(**changes: object) -> Reproduction:
    settings = ReproductionSettings(corpus="ravdess", speakers=24, preset="mrpn-paper")
    return reproductions.get("mrpn")(replace(settings, **changes))  # type: ignore[arg-type]


class Maker:
    """Draws a run for every request: better with both modalities, and with leaks."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.stop_at: int | None = None

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        if self.stop_at == len(self.made):
            raise KeyboardInterrupt
        self.made.append(digest(request.identity))
        both = len(request.system.overrides.get("modalities", ())) > 1
        leaks = ("validation-is-test: as printed.",) if request.protocol.kind == "paper" else ()
        run = drawn_run(
            speakers=6,
            clips=16,
            skill=1.0 + 0.8 * both + 0.5 * bool(leaks),
            draw=int(digest(request.identity), 16) % 10_000,
            system=request.system.preset,
        )
        numbers = {f"s{place}": f"{place + 1:02d}" for place in range(6)}
        speakers = tuple(numbers[name] for name in run.speakers)
        pairs = np.array([(int(name) - 1) // 2 for name in speakers])
        return replace(with_columns(run, speaker=speakers, fold=pairs), leaks=leaks)


@pytest.fixture
def maker() -> Maker:
    return Maker()


def test_runs_shared_between_tables_are_made_once(maker: Maker, tmp_path: Path) -> None:
    shelf = RunCache(tmp_path, maker)
    reproduce_table(mrpn(), "1", shelf, corpus_key="drawn")
    assert len(maker.made) == 12  # three systems, with and without slices, two protocols
    reproduce_table(mrpn(), "2", shelf, corpus_key="drawn")
    assert len(maker.made) == 18  # N0 is Table 1's JM(T)
    reproduce_table(mrpn(), "3", shelf, corpus_key="drawn")
    assert len(maker.made) == 22  # N1, with and without pairing
    assert len(set(maker.made)) == 22


def test_an_interrupted_table_is_resumed(maker: Maker, tmp_path: Path) -> None:
    maker.stop_at = 5
    with pytest.raises(KeyboardInterrupt):
        reproduce_table(mrpn(), "1", RunCache(tmp_path, maker), corpus_key="drawn")
    maker.stop_at = None
    reproduce_table(mrpn(), "1", RunCache(tmp_path, maker), corpus_key="drawn")
    assert len(maker.made) == 12


def test_folds_below_the_best_single_modality_are_marked(maker: Maker, tmp_path: Path) -> None:
    found = reproduce_table(mrpn(), "1", RunCache(tmp_path, maker), corpus_key="drawn")
    rows = {row.label: row for row in found.rows}
    assert rows["JM(T)"].inferior_folds["published"] == ("A9,10",)
    assert found.fold_names["clean"] == {0: "A1,2", 1: "A3,4", 2: "A5,6"}
    audio, video, joint = (
        fold_accuracies(rows[label].runs["clean"]) for label in ("AM(T)", "VM(T)", "JM(T)")
    )
    expected = [
        name
        for fold, name in found.fold_names["clean"].items()
        if joint[fold] < max(audio[fold], video[fold])
    ]
    assert list(rows["JM(T)"].inferior_folds["clean"]) == expected


class WithoutSomeFaces(Maker):
    """The pictures of actors 03 and 04 cannot be used: rows of pictures alone lack their fold."""

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        run = super().__call__(request, folder)
        if request.system.overrides["modalities"] != ["video"]:
            return run
        return run.rows(np.flatnonzero(run.folds != 1))


def test_a_row_may_lack_a_fold(tmp_path: Path) -> None:
    shelf = RunCache(tmp_path, WithoutSomeFaces())
    found = reproduce_table(mrpn(), "1", shelf, corpus_key="drawn")
    assert found.fold_names["clean"] == {0: "A1,2", 1: "A3,4", 2: "A5,6"}
    rows = {row.label: row for row in found.rows}
    audio, video, joint = (
        fold_accuracies(rows[label].runs["clean"]) for label in ("AM(T)", "VM(T)", "JM(T)")
    )
    assert list(video) == [0, 2]
    assert ("A3,4" in rows["JM(T)"].inferior_folds["clean"]) is (joint[1] < audio[1])


def test_late_fusion_is_made_from_the_rows_named(maker: Maker, tmp_path: Path) -> None:
    found = reproduce_table(mrpn(), "1", RunCache(tmp_path, maker), corpus_key="drawn")
    runs = {row.label: row.runs["clean"] for row in found.rows}
    mean = (runs["AM(T)"].probabilities + runs["VM(T)"].probabilities) / 2
    np.testing.assert_allclose(runs["late fusion(T), ours"].probabilities, mean)


def test_fold_accuracies_equal_means_by_hand() -> None:
    run = drawn_run(seeds=(0, 1))
    by_hand = {fold: run.correct[run.folds == fold].mean() for fold in (0, 1, 2)}
    assert fold_accuracies(run) == pytest.approx(by_hand)


def test_everything_but_the_name_is_part_of_a_requests_identity() -> None:
    protocol = Protocol("clean", "speaker-kfold", {"folds": 5})
    system = SystemChoice("mrpn-paper", {"hidden": 8, "training.epochs": 2}, "one")
    first = RunRequest(system, protocol, 0, "k")
    nested = {"training": {"epochs": 2}, "hidden": 8}
    assert digest(first.identity) == digest(
        replace(first, system=SystemChoice("mrpn-paper", nested, "two")).identity
    )
    others = [
        replace(first, seed=1),
        replace(first, corpus_key="other"),
        replace(first, system=SystemChoice("mrpn-paper", {**system.overrides, "hidden": 16})),
        replace(first, protocol=replace(protocol, rule_settings={"folds": 4})),
        replace(first, protocol=replace(protocol, leaking=True)),
        replace(first, protocol=replace(protocol, predicted="validation")),
    ]
    assert len({digest(first.identity), *(digest(other.identity) for other in others)}) == 7


@pytest.mark.parametrize("number", ["1", "2", "3", "4", "ours"])
@pytest.mark.parametrize("video", ["video", "action_units"])
@pytest.mark.parametrize("preset", ["mrpn-paper", "mrpn-compact"])
def test_every_run_of_mrpn_has_settings_that_exist(number: str, video: str, preset: str) -> None:
    _, own = load_preset(preset)
    for row in mrpn(video=(video,), preset=preset).table(number).rows:
        if row.system is not None and row.system.preset == preset:
            _, settings = load_preset(row.system.preset, row.system.overrides)
            assert settings.network == row.system.overrides["network"]
            assert list(settings.modalities) == row.system.overrides["modalities"]
            hop_s = settings.branches["audio"].feature_settings.get("hop_s", 0.2)
            without_overlap = row.label in ("N0, IA", "N0, WO") or "(NT)" in row.label
            assert (hop_s == 1.0) == without_overlap
            assert settings.pairs_across_clips == pairs(row.label, settings.network)
            aggregator = {"N2, BiLSTM": "bilstm", "N2, Transformer": "transformer"}
            usual = own.branches["audio"].aggregator if number == "ours" else "lstm"
            if "the preset's own" in row.label:
                usual = own.branches["audio"].aggregator
            expected = aggregator.get(row.label, usual)
            assert settings.branches["audio"].aggregator == expected
            assert settings.time_slices == (row.label != "N0, IA" and "(NT)" not in row.label)


def pairs(label: str, network: str) -> bool:
    """Whether a row trains on video and audio of different clips, as its label says."""
    if "cross-clip pairing" in label:
        return "with cross-clip pairing" in label
    return network == "N2"


@pytest.mark.parametrize("preset", ["mrpn-paper", "mrpn-compact"])
def test_systems_that_the_paper_prints_twice_are_one_run(preset: str) -> None:
    """JM(NT) of Table 1 has the mean of IA in Table 4, and JM(T) that of VA+AO."""
    first, fourth = (
        {row.label: row.system for row in mrpn(preset=preset).table(number).rows if row.system}
        for number in ("1", "4")
    )
    protocol = Protocol("clean", "speaker-kfold")
    for one, two in (("JM(NT)", "N0, IA"), ("JM(T)", "N0, VA+AO")):
        identities = [
            digest(RunRequest(system, protocol, 0, "k").identity)
            for system in (first[one], fourth[two])
        ]
        assert identities[0] == identities[1]


def test_tables_2_and_3_separate_pairing_from_the_residual_perceptron() -> None:
    for number, networks in (("2", {"N0", "N2"}), ("3", {"N0", "N1", "N2"})):
        plan = mrpn().table(number)
        settings = [load_preset(row.system.preset, row.system.overrides)[1] for row in plan.rows]
        made = {(one.network, one.pairs_across_clips) for one in settings}
        assert made == {(network, paired) for network in networks for paired in (True, False)}
        assert any("not due to the residual perceptron alone" in note for note in plan.notes)


def test_a_protocol_that_no_table_has_is_refused(maker: Maker, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Table 1 has the protocols paper, clean, not scripts"):
        reproduce_table(
            mrpn(), "1", RunCache(tmp_path, maker), corpus_key="drawn", protocols=("scripts",)
        )


def test_protocols_are_rules_that_exist() -> None:
    for speakers, rule in ((24, "mrpn-actor-pairs"), (91, "speaker-kfold")):
        plan = mrpn(speakers=speakers).table("3")
        for kind, protocol in plan.protocols.items():
            assert protocol.rule == rule
            split_rules.get(rule)(**protocol.rule_settings)
            assert protocol.rule_settings["validation"] == ("test" if kind == "paper" else "nested")
    assert mrpn(clean_rule="leave-one-speaker-out").table("1").protocols["clean"].rule == (
        "leave-one-speaker-out"
    )


def test_published_numbers_stand_beside_on_their_corpus_only() -> None:
    table = mrpn().table("4")
    keys = {row.label: row.published for row in table.rows}
    assert published(keys["N2, LSTM"]).value == 90.8
    cremad = {row.label: row.published for row in mrpn(corpus="cremad").table("4").rows}
    assert published(cremad["N2, LSTM"]).value == 83.0
    assert not any(row.published for row in mrpn(corpus="manifest").table("1").rows)


def test_unknown_tables_and_figures_are_refused() -> None:
    with pytest.raises(SettingsError, match="no table '7' to reproduce"):
        mrpn().table("7")
    with pytest.raises(SettingsError, match="no figure of deep features '9'"):
        mrpn().embeddings("9")
