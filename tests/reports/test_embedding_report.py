"""Deep features that runs kept are laid out, one panel per run, by the classes of their clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_reproduce import Maker, mrpn

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.reproduce import RunCache, RunRequest
from aver.models.base.prediction import Prediction, save_prediction
from aver.reports.deep_features import write_embeddings


class MakerWithFeatures(Maker):
    """Leaves what a run leaves: the first fold's predictions with deep features."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names

    def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
        run = super().__call__(request, folder)
        first = run.rows(run.folds == 0)
        features = np.eye(4)[first.truth_index] + 0.1 * first.probabilities
        features[0] = np.nan  # a clip that lacks the modality
        fold = folder / "folds" / "seed-0" / "fold-00"
        fold.mkdir(parents=True)
        prediction = Prediction(
            first.clip_ids,
            first.classes,
            first.probabilities,
            embeddings=dict.fromkeys(self.names, features),
        )
        save_prediction(prediction, fold / "predictions.safetensors")
        return run


def test_three_panels_from_three_runs(tmp_path: Path) -> None:
    maker = MakerWithFeatures(("fused", "video", "audio"))
    shelf = RunCache(tmp_path, maker)
    png, svg = write_embeddings(mrpn(), "5", shelf, tmp_path / "out", corpus_key="drawn")
    assert len(maker.made) == 3
    assert png.stat().st_size > 0
    text = svg.read_text()
    for word in ("video only", "audio only", "both", "neutral", "angry"):
        assert word in text


def test_a_run_without_deep_features_says_so(tmp_path: Path) -> None:
    shelf = RunCache(tmp_path, MakerWithFeatures(("fused",)))
    with pytest.raises(SettingsError, match="no deep features named 'video'"):
        write_embeddings(mrpn(), "5", shelf, tmp_path / "out", corpus_key="drawn")
