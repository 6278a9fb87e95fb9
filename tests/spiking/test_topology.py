"""Windows against NumPy's own sliding windows."""

import numpy as np
import pytest

from aver.errors import SettingsError
from aver.spiking import Windows


@pytest.mark.parametrize(
    ("shape", "size", "stride"),
    [((40, 388), (40, 10), (40, 10)), ((10, 9), (4, 3), (2, 1)), ((30,), (7,), (4,))],
)
def test_inputs_equal_sliding_windows(shape, size, stride):
    flat = np.arange(np.prod(shape)).reshape(shape)
    slid = np.lib.stride_tricks.sliding_window_view(flat, size)
    slid = slid[tuple(slice(None, None, s) for s in stride)]
    expected = slid.reshape(-1, int(np.prod(size)))
    assert np.array_equal(Windows(size, stride).inputs(shape), expected)


def test_windows_of_the_papers():
    assert Windows((40, 40), (40, 116)).positions((40, 388)) == 4
    assert Windows((40, 40), (40, 40)).positions((40, 388)) == 9
    assert Windows((40, 40), (40, 40)).positions((100, 100)) == 4


def test_windows_that_do_not_fit_are_refused():
    with pytest.raises(SettingsError, match="do not fit an input of shape"):
        Windows((41, 10), (1, 1)).positions((40, 388))
    with pytest.raises(SettingsError, match="do not fit"):
        Windows((10,), (1,)).positions((40, 388))
    with pytest.raises(SettingsError, match="one stride per axis"):
        Windows((10, 10), (1,))
