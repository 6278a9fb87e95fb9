"""Distance to the training data: against SciPy, closed forms, and what it must flag."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from aver.models.base.training_distance import TrainingDistance, mean_vector, rows_of


def test_with_all_axes_it_is_the_mahalanobis_distance() -> None:
    rng = np.random.default_rng(0)
    train = rng.normal(size=(4000, 3)) @ np.array([[2.0, 0, 0], [1, 1, 0], [0, 0.5, 0.1]])
    found = TrainingDistance.fit(train, train)
    clips = train[:20]
    values = (train - found.center) / found.spread  # none is clipped
    inverse = np.linalg.inv(values.T @ values / len(values))
    expected = [mahalanobis((c - found.center) / found.spread, np.zeros(3), inverse) for c in clips]
    measured = found.ratios(clips)
    np.testing.assert_allclose(measured / measured[0], np.array(expected) / expected[0], rtol=1e-6)


def test_one_validation_clip_in_a_hundred_is_beyond_the_limit() -> None:
    rng = np.random.default_rng(1)
    train, validation, new = (rng.normal(size=(n, 8)) for n in (2000, 1000, 5000))
    found = TrainingDistance.fit(train, validation)
    assert (found.ratios(validation) > 1).mean() == pytest.approx(0.01, abs=0.001)
    assert 0.003 < (found.ratios(new) > 1).mean() < 0.03


def test_other_directions_and_other_places_are_far() -> None:
    rng = np.random.default_rng(2)
    basis = rng.normal(size=(3, 200))
    train, validation = (
        rng.normal(size=(300, 3)) @ basis + 0.01 * rng.normal(size=(300, 200)) for _ in range(2)
    )
    found = TrainingDistance.fit(train, validation)
    assert (found.ratios(train) < 1.2).all()
    assert (found.ratios(rng.normal(size=(50, 200))) > 2).all()  # noise off the three axes
    assert (found.ratios(validation * 8) > 2).mean() > 0.9


def test_a_clip_does_not_depend_on_the_others_and_nan_stays_nan() -> None:
    rng = np.random.default_rng(3)
    train, clips = rng.normal(size=(200, 30)), rng.normal(size=(7, 30))
    clips[3] = np.nan
    found = TrainingDistance.fit(train, train)
    one_by_one = np.concatenate([found.ratios(clip[None]) for clip in clips])
    assert np.array_equal(found.ratios(clips), one_by_one, equal_nan=True)
    assert np.isnan(one_by_one).tolist() == [False] * 3 + [True] + [False] * 3
    assert np.isnan(found.ratios(np.zeros((2, 0)))).all()


def test_constant_inputs_and_broken_values() -> None:
    rng = np.random.default_rng(4)
    train = rng.normal(size=(100, 5))
    train[:, 2] = 7.0
    found = TrainingDistance.fit(train, train)
    clip = train[:1].copy()
    clip[0, 0] = 1e30
    assert np.isfinite(found.ratios(clip)).all()
    assert found.ratios(clip)[0] > 1


def test_a_checkpoint_keeps_it() -> None:
    rng = np.random.default_rng(5)
    train = rng.normal(size=(60, 4))
    found = TrainingDistance.fit(train, train[:10])
    again = TrainingDistance.from_arrays(found.arrays())
    assert np.array_equal(again.ratios(train), found.ratios(train))


def test_vectors_of_arrays() -> None:
    assert mean_vector({}) is None
    assert mean_vector({"a": np.array([np.nan, 1.0])}) is None
    image = np.arange(2 * 64 * 64, dtype=np.uint8).reshape(2, 64, 64)
    assert mean_vector({"images": image, "times": np.arange(2)}).shape == (256,)
    rows = rows_of([np.ones(3), None, np.ones(2), np.zeros(3)])
    assert np.isnan(rows).all(axis=1).tolist() == [False, True, True, False]


def test_what_the_axes_leave_out_counts() -> None:
    """A clip that differs in no direction of the axes, but far in one that they leave out."""
    rng = np.random.default_rng(6)
    train, validation = rng.normal(size=(300, 60)), rng.normal(size=(100, 60))
    found = TrainingDistance.fit(train, validation)
    assert found.axes.shape == (60, 30)
    direction = np.linalg.svd(found.axes.T)[2][-1]  # orthogonal to all axes
    length = 9.0 / np.abs(direction).max()  # no value is limited
    away = found.center + found.spread * direction * length
    assert found.ratios(found.center[None])[0] == 0
    expected = length / found.rest / np.sqrt(31) / found.limit  # one of 31 terms
    assert found.ratios(away[None])[0] == pytest.approx(expected, rel=1e-6)
