"""Distance to the training data: against scikit-learn, closed forms, and what it must flag."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from aver.models.base.training_distance import TrainingDistance, mean_vector, rows_of


def test_it_is_the_distance_to_the_nearest_training_clip() -> None:
    """Against scikit-learn; a thousand clips of any number are kept."""
    rng = np.random.default_rng(0)
    train, clips = (rng.normal(size=(n, 6)) * [1, 5, 1, 0.1, 1, 1] for n in (3000, 20))
    found = TrainingDistance.fit(train, train)
    assert found.clips.shape == (1000, 6)
    kept = found.clips.astype(float)
    nearest = NearestNeighbors(n_neighbors=1).fit(kept)
    expected = nearest.kneighbors((clips - found.center) / found.spread)[0][:, 0]
    np.testing.assert_allclose(found.ratios(clips) * found.limit, expected, rtol=1e-6)
    standardized = (train - np.median(train, axis=0)) / found.spread
    assert NearestNeighbors(n_neighbors=1).fit(standardized).kneighbors(kept)[0].max() < 0.01


def test_without_validation_clips_each_training_clip_counts_without_itself() -> None:
    train = np.array([[0.0], [1.0], [3.0]])
    found = TrainingDistance.fit(train, train[:0])
    assert found.ratios(np.array([[5.0]]))[0] * found.limit == pytest.approx(
        2 / found.spread[0], rel=1e-3
    )
    assert found.limit == pytest.approx(2 / found.spread[0], rel=0.02)


def test_one_validation_clip_in_a_hundred_is_beyond_the_limit() -> None:
    rng = np.random.default_rng(1)
    train, validation, new = (rng.normal(size=(n, 8)) for n in (2000, 1000, 5000))
    found = TrainingDistance.fit(train, validation)
    assert (found.ratios(validation) > 1).mean() == pytest.approx(0.01, abs=0.001)
    assert 0.003 < (found.ratios(new) > 1).mean() < 0.03


def test_other_places_are_far_and_so_is_the_gap_between_two_groups() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat([[-4.0], [4.0]], 300, axis=0)
    train, validation = (rng.normal(size=(600, 8)) + groups for _ in range(2))
    found = TrainingDistance.fit(train, validation)
    assert (found.ratios(rng.normal(size=(50, 8)) * 0.3) > 1).all()  # the mean of all clips
    assert (found.ratios(validation[:50] + 4 * groups[:50]) > 1.5).all()
    assert (found.ratios(validation) < 1).mean() > 0.98


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
