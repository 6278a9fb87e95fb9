"""The worst clips: the right ones, in the right order, and what they look and sound like."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
from drawn_runs import CLASSES, drawn_run

from aver.corpora.clip import Clip
from aver.media.degrade_clip import write_audio, write_images
from aver.reports.worst_clips import image_clips, worst_clips, worst_table

RATE_HZ = 16_000


def test_only_wrong_predictions_count_and_the_least_truth_comes_first() -> None:
    run = drawn_run(seeds=(0, 1), skill=1.0)
    found = worst_clips(run, 1000)
    means: dict[str, np.ndarray] = {}
    for clip_id, row in zip(run.clip_ids, run.probabilities, strict=True):
        means[clip_id] = means.get(clip_id, 0) + row / 2
    truth = dict(zip(run.clip_ids, run.truth, strict=True))
    wrong = {c: m[CLASSES.index(truth[c])] for c, m in means.items()
             if CLASSES[m.argmax()] != truth[c]}  # fmt: skip
    assert [clip.clip_id for clip in found] == sorted(wrong, key=lambda c: (wrong[c], c))
    assert worst_clips(run, 3) == found[:3]


def test_a_run_without_fault_has_no_table() -> None:
    run = drawn_run()
    right = np.eye(len(CLASSES))[[CLASSES.index(label) for label in run.truth]]
    assert worst_table(worst_clips(run.with_predictions(right))) is None


def test_images_show_the_clip(tmp_path: Path) -> None:
    red = np.zeros((60, 80, 3), np.uint8)
    red[..., 0] = 200
    write_images(tmp_path / "v.mov", ((i / 10, red) for i in range(20)))
    time_s = np.arange(RATE_HZ) / RATE_HZ
    tone = (0.5 * np.sin(2 * np.pi * 2000 * time_s)).astype(np.float32)
    write_audio(tmp_path / "s.wav", tone, RATE_HZ)
    worst = worst_clips(drawn_run(), 2)
    clip = Clip(worst[0].clip_id, "s", None, video=tmp_path / "v.mov", audio=tmp_path / "s.wav")
    shown, bare = image_clips(worst, {clip.clip_id: clip})
    assert (bare.frame, bare.spectrogram) == ("", "")
    frame = decode(shown.frame)
    assert frame.shape[0] == 150
    assert frame[..., 2].mean() > 150 > 50 > frame[..., 0].mean()  # OpenCV's order is blue first
    rows = decode(shown.spectrogram).sum(axis=(1, 2), dtype=float)
    assert abs(rows.argmax() / 150 - 0.75) < 0.03  # 2 of 8 kHz, low frequencies below


def decode(uri: str) -> np.ndarray:
    code = base64.b64decode(uri.partition(",")[2])
    return cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_COLOR)
