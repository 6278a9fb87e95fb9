"""The tables of the cross-modal paper ask for runs that exist, and hold what it prints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aver.errors import SettingsError
from aver.evaluation.baselines import branches_by_modality
from aver.evaluation.published import published
from aver.evaluation.reproduction import Reproduction, ReproductionSettings, reproductions
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.splits.rule import split_rules


def paper(**changes: object) -> Reproduction:
    settings = ReproductionSettings(corpus="ravdess", speakers=20, preset="snn-cross-modal-compact")
    return reproductions.get("snn-cross-modal")(replace(settings, **changes))  # type: ignore[arg-type]


TABLES = reproductions.get("snn-cross-modal").tables


@pytest.mark.parametrize("preset", ["snn-cross-modal-paper", "snn-cross-modal-compact"])
@pytest.mark.parametrize("number", TABLES)
def test_every_run_has_settings_that_exist(number: str, preset: str) -> None:
    reproduction = paper(preset=preset, overrides={"audio.features": 7, "read_out.kind": "winner"})
    plan = reproduction.table(number)
    labels = [row.label for row in plan.rows]
    for row in plan.rows:
        if row.system is not None:
            load_preset(row.system.preset, row.system.overrides)
        assert set(row.fused_from) <= set(labels)
    for pair in plan.compared:
        assert set(pair) <= set(labels)
    for protocol in plan.protocols.values():
        split_rules.get(protocol.rule)(**protocol.rule_settings)


def test_printed_numbers_stand_beside_the_rows_they_belong_to() -> None:
    def printed(corpus: str, table: str) -> dict[str, float]:
        rows = paper(corpus=corpus, speakers=44).table(table).rows
        return {row.label: published(row.published).value for row in rows if row.published}

    mel, mfcc = "Mel-scale spectrogram", "MFCCs"
    assert printed("ravdess", "I") == {mel: 45.1, mfcc: 80.3}
    assert printed("enterface", "I") == {mel: 42.1, mfcc: 72.2}
    assert sorted(printed("enterface", "II").values()) == [47.1, 56.3, 60.9, 72.2, 80.1, 91.4]
    assert printed("ravdess", "III") == {mel: 54.4, mfcc: 83.6, "MFCCs, audio only": 80.3}
    assert sorted(printed("enterface", "IV").values()) == [66.5, 86.3, 99.9]
    assert sorted(printed("ravdess", "V").values()) == [81.3, 83.6]
    assert printed("manifest", "V") == {}


def test_settings_reach_the_networks_that_have_them() -> None:
    rows = {
        row.label: row.system
        for row in paper(overrides={"audio.features": 7, "link_gain": 0.9}).table("both").rows
        if row.system
    }
    loaded = {label: load_preset(s.preset, s.overrides)[1] for label, s in rows.items()}
    assert loaded["audio only"].layer.features == 7
    assert loaded["SNN with cross-modal enhancement"].audio.features == 7
    assert loaded["SNN with cross-modal enhancement"].link_gain == 0.9
    default = load_preset("snn-video-compact")[1]
    assert loaded["video only"] == default


def test_settings_of_mfcc_do_not_reach_the_mel_spectrogram() -> None:
    wanted = {"audio.feature_settings.coefficients": 20, "audio.feature_settings.frame_count": 100}
    for table in ("I", "III"):
        mel, mfcc = (
            load_preset(row.system.preset, row.system.overrides)[1]
            for row in paper(overrides=wanted).table(table).rows[:2]
            if row.system
        )
        layers = [getattr(one, "layer", None) or one.audio for one in (mel, mfcc)]
        assert [layer.feature for layer in layers] == ["mel-bands", "mfcc"]
        assert [layer.make_feature().frame_count for layer in layers] == [100, 100]
        assert layers[1].make_feature().coefficients == 20


def test_figure_3_has_a_row_for_every_place_of_every_line() -> None:
    plan = paper().curve("3")
    rows = paper().table(plan.table).rows
    assert len(rows) == len(plan.lines) * len(plan.places) == 32
    for k, row in enumerate(rows):
        layer = load_preset(row.system.preset, row.system.overrides)[1].layer
        assert row.system.preset.endswith("-paper")  # the compact layer runs away in such windows
        assert layer.window == (0, plan.places[k % 4]) == layer.stride
        line = plan.lines[k // 4]
        assert line.endswith(f", {layer.features}")
        assert (
            layer.feature
            == {"MFCCs": "mfcc", "Mel-scale spectrogram": "mel-bands"}[line.rpartition(",")[0]]
        )


def test_figure_3_predicts_validation_clips_and_names_them(tmp_path) -> None:
    """A figure of 32 settings invites choices, so it must not use test clips."""
    from test_reproduce import Maker

    from aver.evaluation.reproduce import RunCache
    from aver.features.store import FeatureStore
    from aver.reports.reproduction_figures import ReproductionFigures

    protocols = set()

    class Asked(Maker):
        def __call__(self, request, folder):
            protocols.add((request.protocol.kind, request.protocol.predicted))
            return super().__call__(request, folder)

    cache, store = RunCache(tmp_path / "runs", Asked()), FeatureStore(tmp_path / "features")
    figures = ReproductionFigures(paper(), cache, "drawn", tmp_path, store, ("paper", "clean"))
    written = {path.name: path for path in figures.curve("3")}
    assert protocols == {("clean", "validation"), ("paper", "test")}
    assert "clean, validation clips" in written["snn-cross-modal-figure-3-clean.txt"].read_text()
    paper_text = written["snn-cross-modal-figure-3-paper.txt"].read_text()
    assert "validation clips" not in paper_text
    assert "preset snn-audio-paper" in paper_text  # what the rows run, not what was chosen
    assert "snn-cross-modal" not in paper_text.replace("snn-cross-modal, Figure 3", "")
    others = [paper().table(number) for number in TABLES if number != "windows"]
    assert {plan.protocols["clean"].predicted for plan in others} == {"test"}


def test_only_the_table_of_labels_runs_the_leaking_protocol() -> None:
    """Section IV-C labels neurons in training; only public scripts label them on test clips."""
    for number in TABLES:
        leaking = {k: p.leaking for k, p in paper().table(number).protocols.items()}
        usual = {"paper": False, "clean": False}
        assert leaking == (usual | {"scripts": True} if number == "labels" else usual)
    protocols = paper().table("labels").protocols
    assert protocols["scripts"].rule_settings == protocols["paper"].rule_settings


def test_unknown_tables_figures_and_presets_are_refused() -> None:
    with pytest.raises(SettingsError, match="no table 'VI'"):
        paper().table("VI")
    with pytest.raises(SettingsError, match="no curve '4'"):
        paper().curve("4")
    with pytest.raises(SettingsError, match="snn-cross-modal-paper or"):
        paper(preset="mrpn-compact").table("I")


def test_baselines_read_the_modalities_of_the_networks() -> None:
    def branches(preset: str) -> dict[str, tuple[str, ...]]:
        model, settings = load_preset(preset)
        return branches_by_modality(model(settings, FeatureStore()).features)

    assert branches("snn-cross-modal-compact") == {
        "video": ("video",),
        "audio": ("audio",),
    }
    assert branches("snn-video-compact") == {"video": ("video",)}
    assert branches("majority") == {"audio": ("audio",)}
