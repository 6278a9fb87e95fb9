"""The adapter passes scikit-learn's own checks and works in its searches."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from aver.sklearn import VectorClassifier


@pytest.mark.parametrize("preset", ["statistics-svm", "statistics-logistic"])
@pytest.mark.filterwarnings("ignore")
def test_the_checks_of_scikit_learn(preset: str) -> None:
    check_estimator(VectorClassifier(preset))


def test_pipelines_and_searches() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), VectorClassifier("statistics-logistic")),
        {"vectorclassifier__overrides": [{"Cs": [1e-3]}, {"Cs": [1.0]}]},
        cv=3,
    ).fit(X, y.map({0: "setosa", 1: "versicolor", 2: "virginica"}))
    assert search.best_score_ > 0.9
    assert search.best_params_["vectorclassifier__overrides"] == {"Cs": [1.0]}


def test_groups_are_whole_in_training_or_validation() -> None:
    X, y = make_blobs(120, centers=3, random_state=0)
    groups = np.arange(120) % 6
    fitted = VectorClassifier("statistics-logistic").fit(X, y, groups=groups)
    card = fitted.recognizer_.card
    assert card["clips"]["validation"] == 2 * 20
    scores = cross_val_score(VectorClassifier(), X, y, groups=groups, cv=GroupKFold(3))
    assert scores.min() > 0.8


def test_wrong_parameters_are_value_errors() -> None:
    X, y = make_blobs(30, random_state=0)
    with pytest.raises(ValueError, match="validation_share"):
        VectorClassifier(validation_share=2).fit(X, y)
    with pytest.raises(ValueError, match="There is no"):
        VectorClassifier(overrides={"nonsense": 1}).fit(X, y)
