"""Five hundred clips of the audio workload with implicit Euler: no runaway, no NaN."""

import numpy as np

from .workloads import build, rates


def test_500_clips_of_w3():
    network = build("W3", "implicit-euler", "reset")
    clips = rates("W3", 50)
    totals = np.concatenate(
        [network.run({"input": clips}).counts["layer"].sum(axis=1) for _ in range(10)]
    )
    # A runaway would raise; a layer that falls silent or doubles its spikes would fail here.
    assert totals.min() > 100
    assert totals.max() < 2280 * 10
    sums = network.weights("input->layer").sum(axis=1)
    assert np.isfinite(sums).all()
    assert sums.max() < 1.5 * 400 * 78 / 784
