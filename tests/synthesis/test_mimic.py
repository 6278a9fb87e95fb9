import numpy as np
import pytest

from aver.media.face_detection import make_detector
from aver.synthesis.film import Mimic
from aver.synthesis.head import draw_head
from aver.synthesis.speaker import ACTION_UNITS, draw_speaker


@pytest.fixture(scope="module")
def mimics() -> list[Mimic]:
    faces = [draw_speaker(0, number).face for number in range(1, 9)]
    rng = np.random.default_rng(0)
    return [Mimic(face, draw_head(face, 256, rng)) for face in faces]


def drawn(mimic: Mimic, **intensities: float) -> np.ndarray:
    units = np.array([intensities.get(unit, 0.0) for unit in ACTION_UNITS])
    return np.ascontiguousarray(mimic.draw(units, 0.0, 0.0, 0.0)[..., ::-1])


def test_a_smile_widens_and_lifts_the_mouth_as_the_detector_sees_it(mimics):
    detector = make_detector()
    still = detector.detect([drawn(mimic) for mimic in mimics])
    smiling = detector.detect([drawn(mimic, AU12=5.0) for mimic in mimics])
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
def test_each_unit_moves_its_part_of_the_face(mimics, unit, top, bottom):
    for mimic in mimics:
        change = np.abs(drawn(mimic, **{unit: 4.0}).astype(int) - drawn(mimic)).sum(axis=(1, 2))
        assert change[top:bottom].sum() > 0.6 * change.sum() > 0


def test_a_blink_closes_both_eyes(mimics):
    rest = np.zeros(len(ACTION_UNITS))
    for mimic in mimics[1:2]:
        wide, shut = (mimic.draw(rest, lids, 0.0, 0.0) for lids in (0.0, 1.0))
        bright = [(image[110:130, 85:171].min(axis=2) > 200).sum() for image in (wide, shut)]
        assert bright[0] > 20 > bright[1]
