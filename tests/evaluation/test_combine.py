"""Seeds pooled: every row is kept. Late fusion: the mean over the rows that all runs have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_runs import drawn_run, with_columns

from aver import api
from aver.corpora.user_files import attach_action_units
from aver.errors import SettingsError
from aver.evaluation.combine import fuse_late, pool_seeds
from aver.evaluation.metrics import accuracy
from aver.features.store import FeatureStore
from aver.reports.run_report import describe_run
from aver.splits import make_split
from tone_corpus import PITCHES_HZ, write_tone_corpus


def test_accuracy_is_the_mean_over_seeds() -> None:
    runs = [drawn_run(seeds=(seed,), draw=seed) for seed in range(3)]
    pooled = pool_seeds(runs)
    assert pooled.seed_values == (0, 1, 2)
    assert pooled.clip_count == runs[0].clip_count
    by_hand = np.mean([run.correct.mean() for run in runs])
    assert accuracy(pooled).value == pytest.approx(by_hand)


def test_other_protocols_do_not_mix() -> None:
    run = drawn_run(seeds=(0,))
    other = replace(drawn_run(seeds=(1,)), protocol="clean: another")
    with pytest.raises(SettingsError, match="protocol"):
        pool_seeds([run, other])


def test_the_same_seed_twice_is_an_error() -> None:
    with pytest.raises(SettingsError, match="twice"):
        pool_seeds([drawn_run(seeds=(0,)), drawn_run(seeds=(0,))])


def test_fused_is_the_mean_clip_by_clip_in_any_order() -> None:
    one, two = drawn_run(draw=1, seeds=(0, 1)), drawn_run(draw=2, seeds=(0, 1))
    shuffled = two.rows(np.random.default_rng(0).permutation(len(two.clip_ids)))
    fused = fuse_late([one, shuffled], "both")
    np.testing.assert_allclose(fused.probabilities, (one.probabilities + two.probabilities) / 2)
    assert fused.facts["left_out_clips"] == 0


def test_rows_that_one_run_lacks_are_left_out_and_counted() -> None:
    one, two = drawn_run(draw=1, seeds=(0, 1)), drawn_run(draw=2, seeds=(0, 1))
    fused = fuse_late([one.rows(one.correct | True), two.rows(_without(two, "s0-03"))], "both")
    again = fuse_late([one.rows(_without(one, "s2-01")), two.rows(_without(two, "s0-03"))], "both")
    assert set(one.clip_ids) - set(fused.clip_ids) == {"s0-03"}
    assert set(one.clip_ids) - set(again.clip_ids) == {"s0-03", "s2-01"}
    assert (fused.facts["left_out_clips"], again.facts["left_out_clips"]) == (1, 2)
    mean = (one.probabilities + two.probabilities) / 2
    np.testing.assert_allclose(fused.probabilities, mean[_without(one, "s0-03")])


def _without(run, clip_id):  # type: ignore[no-untyped-def]
    return np.array([other != clip_id for other in run.clip_ids])


def test_runs_of_other_folds_or_classes_are_refused() -> None:
    run = drawn_run()
    with pytest.raises(SettingsError, match="have no clip, fold and seed in common"):
        fuse_late([run, with_columns(run, fold=run.folds + 7)], "both")
    with pytest.raises(SettingsError, match="have different classes"):
        fuse_late([run, replace(run, classes=run.classes[::-1])], "both")


def test_adapted_runs_stay_marked_and_are_not_fused_with_others() -> None:
    run = drawn_run()
    adapted = replace(run, facts={"adapt": "speaker", "adaptation": "uses test speakers' clips"})
    fused = fuse_late([adapted, adapted], "both")
    assert (fused.facts["adapt"], fused.facts["adaptation"]) == tuple(adapted.facts.values())
    assert "adapt" not in fuse_late([run, run], "both").facts
    with pytest.raises(SettingsError, match="one uses unlabeled clips of test speakers"):
        fuse_late([run, adapted], "both")


def test_an_unreadable_clip_is_left_out_of_late_fusion_and_counted(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones", speakers=3, takes=2)
    random = np.random.default_rng(0)
    rows = [
        f"{clip.clip_id},{list(PITCHES_HZ).index(str(clip.emotion)) + random.normal(0, 0.1):.3f}\n"
        for clip in corpus
    ]
    table = tmp_path / "units.csv"
    table.write_text("clip,AU01_r\n" + "".join(rows))
    bad = corpus.clips[0]
    assert bad.audio is not None
    bad.audio.write_bytes(b"RIFF but no more")
    results = api.evaluate(
        attach_action_units(corpus, table),
        "statistics-logistic",
        out=tmp_path / "run",
        split=make_split(corpus, "speaker-kfold", folds=3),
        overrides={"modalities": ["audio", "action_units"]},
        baselines="all",
        store=FeatureStore(tmp_path / "cache"),
        workers=1,
    )
    runs = {result.evaluation.system: result.evaluation for result in results}
    tested = {name: bad.clip_id in run.clip_ids for name, run in runs.items()}
    fused = next(name for name in runs if name.endswith("late fusion"))
    assert not tested[fused]
    assert any(name.endswith("units only") and found for name, found in tested.items())
    assert runs[fused].facts["left_out_clips"] == 1
    said = " ".join(describe_run([result.evaluation for result in results]).split())
    for name in list(runs)[1:]:
        assert name in said.partition("Paired differences")[2]
    assert "1 clip that only one of the two runs tested is left out" in said
    assert f"{fused}: 1 clip left out that not every fused system could use." in said
