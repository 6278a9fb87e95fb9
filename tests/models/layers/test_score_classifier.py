"""Classifiers stored as arrays predict exactly as those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_info, threadpool_limits

from aver.models.layers.score_classifier import (
    ScoreClassifier,
    best_temperature,
    fit_chosen,
    fit_logistic,
    fit_svm,
    softmax,
)

STRENGTHS = (0.001, 0.01, 0.1, 1.0)


def tables(loader: object) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    data = loader()  # type: ignore[operator]
    order = np.random.default_rng(0).permutation(len(data.target))
    inputs, labels = data.data[order], data.target[order]
    half = len(labels) // 2
    return inputs[:half], labels[:half], inputs[half:], labels[half:]


@pytest.mark.parametrize(("loader", "classes"), [(load_wine, 3), (load_breast_cancer, 2)])
def test_logistic_regression_is_that_of_scikit_learn(loader: object, classes: int) -> None:
    inputs, labels, others, _ = tables(loader)
    ours = fit_logistic(inputs, labels, classes, 0.1)
    theirs = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=5000, class_weight="balanced")
    ).fit(inputs, labels)
    assert np.allclose(ours.probabilities(others), theirs.predict_proba(others), atol=1e-6)


def test_svm_is_that_of_scikit_learn_one_against_rest() -> None:
    inputs, labels, others, _ = tables(load_wine)
    ours = fit_svm(inputs, labels, 3, 3.0)
    machines = OneVsRestClassifier(SVC(C=3.0, gamma=1 / inputs.shape[1]))
    theirs = make_pipeline(StandardScaler(), machines).fit(inputs, labels)
    assert np.allclose(ours.scores(others), theirs.decision_function(others), atol=1e-8)
    assert 0 < len(ours.anchors) < len(inputs)


@pytest.mark.parametrize("fit", [fit_logistic, fit_svm])
def test_robust_scaling_is_that_of_scikit_learn_with_a_limit(fit: object) -> None:
    inputs, labels, others, _ = tables(load_wine)
    ours = fit(inputs, labels, 3, 1.0, scaling="robust")  # type: ignore[operator]
    scaler = RobustScaler(unit_variance=True).fit(inputs)
    limited = [np.clip(scaler.transform(part), -2.5, 2.5) for part in (inputs, others)]
    if fit is fit_svm:
        machine = SVC(C=1.0, gamma=1 / inputs.shape[1])
        theirs = OneVsRestClassifier(machine).fit(limited[0], labels).decision_function(limited[1])
    else:
        model = LogisticRegression(C=1.0, max_iter=5000, class_weight="balanced")
        theirs = model.fit(limited[0], labels).decision_function(limited[1])
    assert np.allclose(ours.scores(others), theirs, atol=2e-3)


@pytest.mark.parametrize("fit", [fit_logistic, fit_svm])
def test_a_far_value_does_not_dominate_with_robust_scaling(fit: object) -> None:
    inputs, labels, others, _ = tables(load_wine)
    classifier = fit(inputs, labels, 3, 1.0, scaling="robust")  # type: ignore[operator]
    far, farther = others[:1].copy(), others[:1].copy()
    far[0, 0], farther[0, 0] = 1e3, 1e9
    assert np.array_equal(classifier.scores(far), classifier.scores(farther))


def test_inputs_that_are_mostly_constant_keep_their_standard_deviation() -> None:
    inputs, labels, _, _ = tables(load_wine)
    rare = np.hstack([inputs, (np.arange(len(inputs)) % 10 == 0)[:, np.newaxis]])
    classifier = fit_logistic(rare, labels, 3, 0.1, scaling="robust")
    assert classifier.std[-1] == pytest.approx(rare[:, -1].std())


def test_the_width_of_the_kernel_divides_distances() -> None:
    inputs, labels, others, _ = tables(load_wine)
    wide = fit_svm(inputs, labels, 3, 1.0, kernel_width=2.0)
    machines = OneVsRestClassifier(SVC(C=1.0, gamma=1 / 4 / inputs.shape[1]))
    theirs = make_pipeline(StandardScaler(), machines).fit(inputs, labels)
    assert np.allclose(wide.scores(others), theirs.decision_function(others), atol=1e-8)


def test_classifiers_of_version_0_2_have_no_limit() -> None:
    inputs, labels, others, _ = tables(load_wine)
    classifier = fit_svm(inputs, labels, 3, 1.0)
    arrays = classifier.arrays()
    del arrays["limit"]
    again = ScoreClassifier.from_arrays(arrays)
    assert np.array_equal(again.scores(others), classifier.scores(others))


def test_temperature_is_the_best_of_a_fine_grid() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    scores = 5 * (np.eye(3)[labels] + rng.normal(0, 0.8, (400, 3)))  # far too sure
    grid = np.geomspace(0.05, 50, 2000)
    losses = [log_loss(labels, softmax(scores / temperature)) for temperature in grid]
    found = best_temperature(scores, labels)
    assert found == pytest.approx(grid[int(np.argmin(losses))], rel=0.01)
    assert found > 1.5


@pytest.mark.parametrize("fit", [fit_logistic, fit_svm])
def test_validation_chooses_the_lowest_log_loss(fit: object) -> None:
    inputs, labels, others, other_labels = tables(load_wine)
    chosen, C = fit_chosen(
        fit,
        STRENGTHS,
        (inputs, labels),
        (others, other_labels),
        3,  # type: ignore[arg-type]
    )
    losses = {}
    for candidate in STRENGTHS:
        alone, _ = fit_chosen(
            fit,
            (candidate,),
            (inputs, labels),
            (others, other_labels),
            3,  # type: ignore[arg-type]
        )
        losses[candidate] = log_loss(other_labels, alone.probabilities(others))
    assert min(losses, key=lambda c: losses[c]) == C
    assert log_loss(other_labels, chosen.probabilities(others)) == pytest.approx(
        min(losses.values())
    )


def test_without_validation_clips_the_middle_c_is_taken() -> None:
    inputs, labels, _, _ = tables(load_wine)
    empty = (np.zeros((0, inputs.shape[1])), np.zeros(0, dtype=int))
    classifier, C = fit_chosen(fit_logistic, (0.1, 0.5, 2.0), (inputs, labels), empty, 3)
    assert (C, classifier.temperature) == (0.5, 1.0)


def test_arrays_rebuild_the_same_predictions() -> None:
    inputs, labels, others, _ = tables(load_wine)
    classifier = fit_svm(inputs, labels, 3, 1.0)
    again = ScoreClassifier.from_arrays(classifier.arrays())
    assert np.array_equal(again.probabilities(others), classifier.probabilities(others))


def test_predictions_do_not_depend_on_the_other_clips() -> None:
    inputs, labels, others, _ = tables(load_wine)
    for classifier in (fit_svm(inputs, labels, 3, 1.0), fit_logistic(inputs, labels, 3, 1.0)):
        whole = classifier.probabilities(others)
        single = np.concatenate([classifier.probabilities(row[np.newaxis]) for row in others])
        assert np.array_equal(whole, single)


def test_a_constant_input_is_ignored() -> None:
    inputs, labels, others, _ = tables(load_wine)
    constant = np.hstack([inputs, np.full((len(inputs), 1), 7.0)])
    shifted = np.hstack([others, np.full((len(others), 1), 7.0)])
    with_it = fit_logistic(constant, labels, 3, 0.1).probabilities(shifted)
    assert np.allclose(with_it, fit_logistic(inputs, labels, 3, 0.1).probabilities(others))


def test_a_fit_uses_one_thread_of_the_linear_algebra() -> None:
    """Sums over more threads round otherwise: same seed, same answers, on any machine."""
    inputs, labels, others, more = tables(load_wine)
    seen: set[int] = set()

    def watched(*parts: object) -> ScoreClassifier:
        seen.update(pool["num_threads"] for pool in threadpool_info())
        return fit_logistic(*parts)  # type: ignore[arg-type]

    with threadpool_limits(2):
        before = {pool["num_threads"] for pool in threadpool_info()}
        fit_chosen(watched, (0.1,), (inputs, labels), (others, more), 3, refit=True)
    assert max(before) == 2
    assert seen == {1}
