"""Runs that a repeated table asks for, on a real small corpus."""

from __future__ import annotations

from pathlib import Path

from aver.evaluation.reproduce import CorpusRuns, RunCache, RunRequest
from aver.evaluation.reproduction import Protocol, SystemChoice
from aver.features.store import FeatureStore
from aver.splits import make_split
from tone_corpus import write_tone_corpus


def test_a_run_on_validation_clips_does_not_use_the_test_clips_of_its_fold(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones")
    runs = CorpusRuns(corpus, FeatureStore(tmp_path / "cache"))
    system = SystemChoice("statistics-logistic", {"modalities": ["audio"]})
    protocol = Protocol("clean", "speaker-kfold", {"folds": 3}, predicted="validation")
    shelf = RunCache(tmp_path / "runs", runs)
    request = RunRequest(system, protocol, 0, runs.key)
    found = shelf.get(request)
    assert found.protocol.startswith("clean: ")
    assert found.protocol.endswith("tested on validation clips, test clips unused")
    assert not found.leaks
    split = make_split(corpus, "speaker-kfold", folds=3)
    for number, fold in enumerate(split.folds):
        predicted = {c for c, n in zip(found.clip_ids, found.folds, strict=True) if n == number}
        assert predicted == set(fold.validation)
        folder = shelf.run(request).folder / "folds" / "seed-0" / f"fold-{number:02d}"
        said = (folder / "fold.json").read_text()
        tested = {str(corpus.by_id[clip_id].speaker) for clip_id in fold.test}
        assert not any(f'"{speaker}"' in said for speaker in tested)
