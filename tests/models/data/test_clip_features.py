"""Features of clips in memory: images without a face are left out, missing modalities flagged."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.errors import FeatureError
from aver.features.feature import FeatureRecord, feature_from_settings
from aver.models.data.batches import read_frames
from aver.models.data.clip_features import load_feature


class _Source:
    def __init__(self, record):
        self.record = record

    def get(self, clip, feature):
        return self.record


def test_frames_without_a_face_are_left_out_and_gray_is_bt601():
    crops = np.zeros((3, 2, 2, 3), np.uint8)
    crops[0, ..., 0], crops[2, ..., 1] = 255, 255  # red, green
    found = np.array([True, False, True])
    feature = feature_from_settings("face-crops", {})
    source = _Source(FeatureRecord({"crops": crops, "found": found}, coverage=2 / 3))
    gray = partial(read_frames, gray=True)
    (frames,) = load_feature([Clip("a", None, None)], feature, source, gray).values
    assert frames.shape == (2, 1, 2, 2)
    assert frames[:, 0, 0, 0].tolist() == [76, 150]  # BT.601: 0.299, 0.587 of 255
    none = _Source(FeatureRecord({"crops": crops, "found": np.zeros(3, bool)}, coverage=0.0))
    nothing = load_feature([Clip("a", None, None)], feature, none, read_frames)
    assert nothing.values == (None,)
    assert nothing.flags == (("no video",),)


def test_a_feature_without_frames_is_refused():
    feature = feature_from_settings("face-crops", {})
    source = _Source(FeatureRecord({"landmarks": np.zeros(3)}))
    with pytest.raises(FeatureError, match="yields landmarks"):
        load_feature([Clip("a", None, None)], feature, source, read_frames)
