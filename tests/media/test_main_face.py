"""Joining over gaps, and which face comes first."""

import numpy as np

from aver.media.face_tracks import Tracklet
from aver.media.main_face import join_over_gaps, rank_by_prominence

TIMES = np.arange(100) / 25


def tracklet(start, end, box=(40, 40, 80, 80), step=(0, 0, 0, 0)):
    t = Tracklet()
    for i in range(start, end):
        t.add(i, np.array(box, float) + np.array(step, float) * i, 1.0, np.zeros((5, 2)))
    return t


def test_short_gap_is_filled_on_a_line():
    joined = join_over_gaps(
        [tracklet(0, 20, step=(1, 0, 1, 0)), tracklet(26, 50, step=(1, 0, 1, 0))], TIMES, [], 0.5
    )
    ((track, filled),) = joined
    assert track.indices == list(range(50))
    assert filled == set(range(20, 26))
    np.testing.assert_allclose(np.stack(track.boxes)[:, 0], 40 + np.arange(50))
    assert not any(track.scores[i] for i in filled)


def test_what_is_not_joined():
    two = [tracklet(0, 20), tracklet(26, 50)]
    assert len(join_over_gaps(two, TIMES, [23], 0.5)) == 2  # a cut between
    assert len(join_over_gaps(two, TIMES, [], 0.2)) == 2  # too long
    elsewhere = [tracklet(0, 20), tracklet(26, 50, (120, 40, 160, 80))]
    assert len(join_over_gaps(elsewhere, TIMES, [], 0.5)) == 2


def test_longer_larger_and_more_central_come_first():
    size = (120, 160)
    long, short = tracklet(0, 90), tracklet(0, 20)
    assert rank_by_prominence([short, long], size) == [1, 0]
    large, small = tracklet(0, 50, (30, 20, 110, 100)), tracklet(0, 50, (60, 50, 90, 80))
    assert rank_by_prominence([small, large], size) == [1, 0]
    middle, edge = tracklet(0, 50, (60, 40, 100, 80)), tracklet(0, 50, (0, 0, 40, 40))
    assert rank_by_prominence([edge, middle], size) == [1, 0]
