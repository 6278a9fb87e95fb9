import numpy as np
import pytest

from aver.media.face_detection import make_detector
from aver.synthesis.frames import ExpressiveHead
from aver.synthesis.head import draw_head
from aver.synthesis.speaker import ACTION_UNITS, draw_speaker


@pytest.fixture(scope="module")
def heads() -> list[ExpressiveHead]:
    faces = [draw_speaker(0, number).face for number in range(1, 9)]
    rng = np.random.default_rng(0)
    return [ExpressiveHead(face, draw_head(face, 256, rng)) for face in faces]


def drawn(head: ExpressiveHead, **intensities: float) -> np.ndarray:
    units = np.array([intensities.get(unit, 0.0) for unit in ACTION_UNITS])
    return np.ascontiguousarray(head.draw(units, 0.0, 0.0, 0.0)[..., ::-1])


def test_a_smile_widens_and_lifts_the_mouth_as_the_detector_sees_it(heads):
    detector = make_detector()
    still = detector.detect([drawn(head) for head in heads])
    smiling = detector.detect([drawn(head, AU12=5.0) for head in heads])
    changes = []
    for before, after in zip(still, smiling, strict=True):
        if len(before) and len(after):
            (left, right), (wide_left, wide_right) = before.landmarks[0, 3:], after.landmarks[0, 3:]
            changes.append(np.linalg.norm(wide_right - wide_left) / np.linalg.norm(right - left))
    assert len(changes) >= 6
    assert np.median(changes) > 1.1


@pytest.mark.parametrize(
    ("unit", "top", "bottom"),
    [("AU01", 70, 112), ("AU04", 85, 125), ("AU05", 105, 135), ("AU12", 145, 190),
     ("AU15", 160, 195), ("AU25", 165, 195), ("AU26", 165, 205)],
)  # fmt: skip
def test_each_unit_moves_its_part_of_the_face(heads, unit, top, bottom):
    for head in heads:
        change = np.abs(drawn(head, **{unit: 4.0}).astype(int) - drawn(head)).sum(axis=(1, 2))
        assert change[top:bottom].sum() > 0.6 * change.sum() > 0


def test_a_blink_closes_both_eyes(heads):
    rest = np.zeros(len(ACTION_UNITS))
    for head in heads[1:2]:
        wide, shut = (head.draw(rest, lids, 0.0, 0.0) for lids in (0.0, 1.0))
        bright = [(image[110:130, 85:171].min(axis=2) > 200).sum() for image in (wide, shut)]
        assert bright[0] > 20 > bright[1]
