"""The clips with the worst predictions: a table, and a frame and a spectrogram of each."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import AverError
from aver.evaluation.evaluation import Evaluation
from aver.reports.table import Estimate, Table

_RATE_HZ = 16_000
_HEIGHT_PX = 150
_LOOKS_HZ = 4.0
_RANGE_DB = 70.0


@dataclass(frozen=True)
class WorstClip:
    """A clip and its prediction, the mean over seeds.

    Parameters
    ----------
    clip_id, speaker, truth, prediction : str
    sure : float
        Probability of the predicted class.
    right : float
        Probability of the true class.
    """

    clip_id: str
    speaker: str
    truth: str
    prediction: str
    sure: float
    right: float


@dataclass(frozen=True)
class ClipImage:
    """A clip as a page shows it; images are data URIs, empty if there is none.

    Parameters
    ----------
    worst : WorstClip
    frame, spectrogram : str
    """

    worst: WorstClip
    frame: str
    spectrogram: str


def worst_clips(evaluation: Evaluation, count: int = 8) -> tuple[WorstClip, ...]:
    """Wrongly predicted clips with the lowest probability of the true class, worst first.

    Parameters
    ----------
    evaluation : Evaluation
    count : int
        At most so many.
    """
    rows: dict[str, list[int]] = {}
    for row, clip_id in enumerate(evaluation.clip_ids):
        rows.setdefault(clip_id, []).append(row)
    found = []
    for clip_id, places in rows.items():
        mean = evaluation.probabilities[places].mean(axis=0)
        truth = evaluation.truth[places[0]]
        prediction = evaluation.classes[int(mean.argmax())]
        right = float(mean[evaluation.classes.index(truth)])
        if prediction != truth:
            speaker = evaluation.speakers[places[0]]
            found.append(WorstClip(clip_id, speaker, truth, prediction, float(mean.max()), right))
    return tuple(sorted(found, key=lambda clip: (clip.right, clip.clip_id))[:count])


def worst_table(worst: tuple[WorstClip, ...]) -> Table | None:
    """The worst clips as a table; None if every prediction is right."""
    if not worst:
        return None
    return Table.of(
        "worst-clips",
        "Clips with the lowest probability of the true class",
        ("clip", "speaker", "true", "predicted", "p of predicted in %", "p of true in %"),
        tuple(
            (c.clip_id, c.speaker, c.truth, c.prediction, Estimate(c.sure), Estimate(c.right))
            for c in worst
        ),
    )


def image_clips(worst: tuple[WorstClip, ...], clips: Mapping[str, Clip]) -> tuple[ClipImage, ...]:
    """A frame from the middle of each clip, and its spectrogram.

    Parameters
    ----------
    worst : tuple of WorstClip
    clips : mapping of str to Clip
        By id; a clip that is missing or unreadable has no images.
    """
    shown = []
    for entry in worst:
        clip = clips.get(entry.clip_id)
        frame = _frame(clip) if clip else ""
        shown.append(ClipImage(entry, frame, _spectrogram(clip) if clip else ""))
    return tuple(shown)


def _frame(clip: Clip) -> str:
    """A frame from the middle, as JPEG."""
    import cv2

    from aver.media.frames import read_frames

    if clip.video is None:
        return ""
    try:
        frames = [
            image
            for _, image in read_frames(
                clip.video, _LOOKS_HZ, skip_black=True, stream=clip.video_stream
            )
        ]
    except AverError:
        return ""
    if not frames:
        return ""
    middle = frames[len(frames) // 2]
    width = max(1, round(middle.shape[1] * _HEIGHT_PX / middle.shape[0]))
    small = cv2.resize(middle, (width, _HEIGHT_PX), interpolation=cv2.INTER_AREA)
    _, code = cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return _uri("image/jpeg", code)


def _spectrogram(clip: Clip) -> str:
    """Logarithm of the power up to 8 kHz, low frequencies below, as PNG."""
    import cv2
    from scipy.signal import spectrogram

    from aver.media.audio import read_audio

    path = clip.audio or clip.video
    if path is None:
        return ""
    try:
        audio = read_audio(path, _RATE_HZ, stream=clip.audio_stream)
    except AverError:
        return ""
    if audio.size < 512:
        return ""
    _, _, power = spectrogram(audio, _RATE_HZ, nperseg=512, noverlap=256)
    level_db = 10 * np.log10(np.maximum(power, 1e-12))
    scaled = np.clip((level_db - level_db.max()) / _RANGE_DB + 1, 0, 1)[::-1]
    colored = cv2.applyColorMap((255 * scaled).astype(np.uint8), cv2.COLORMAP_MAGMA)
    small = cv2.resize(colored, (260, _HEIGHT_PX), interpolation=cv2.INTER_AREA)
    _, code = cv2.imencode(".png", small)
    return _uri("image/png", code)


def _uri(kind: str, code: np.ndarray) -> str:
    return f"data:{kind};base64,{base64.b64encode(code.tobytes()).decode()}"
