"""Modified copies of real clips: recoded, resampled, trimmed, cropped or mirrored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

AUDIO_KINDS = (
    "AAC 64 kb/s",
    "resampled to 22.05 kHz",
    "gain +6 dB",
    "gain -6 dB",
    "0.3 s trimmed at the start",
    "0.3 s trimmed at the end",
    "all of these",
)
IMAGE_KINDS = ("JPEG quality 50", "2 % cropped all round", "2 % cropped at a corner", "mirrored")
IMAGE_KINDS += ("all of these",)
VIDEO_KINDS = (
    "JPEG quality 50",
    "2 % cropped all round",
    "2 % cropped at a corner",
    "mirrored",
    "0.3 s trimmed at the start",
)


def write_audio_copy(source: Path, target: Path, kind: str) -> Path:
    """Write a modified copy of an audio file; returns its path, whose suffix depends on `kind`."""
    from aver.media.audio import read_audio

    rate_hz = 16000
    samples = read_audio(source, rate_hz)
    every = kind == "all of these"
    if every or kind.startswith("0.3 s trimmed at the start"):
        samples = samples[round(0.3 * rate_hz) :]
    if kind.startswith("0.3 s trimmed at the end"):
        samples = samples[: -round(0.3 * rate_hz)]
    if every or kind == "gain -6 dB":
        samples = samples * 10 ** (-6 / 20)
    if kind == "gain +6 dB":
        samples = np.clip(samples * 10 ** (6 / 20), -1, 1)  # louder samples are clipped, as usual
    if every or kind.startswith("resampled"):
        import soxr

        samples = soxr.resample(samples, rate_hz, 22050)
        rate_hz = 22050
    if every or kind.startswith("AAC"):
        return _write_aac(target.with_suffix(".m4a"), samples, rate_hz)
    import soundfile

    target = target.with_suffix(".wav")
    soundfile.write(target, samples, rate_hz)
    return target


def _write_aac(target: Path, samples: np.ndarray, rate_hz: int) -> Path:
    import av

    with av.open(str(target), "w") as container:
        stream = container.add_stream("aac", rate=rate_hz, layout="mono")
        stream.bit_rate = 64000
        for start in range(0, samples.size, 1024):
            piece = samples[None, start : start + 1024].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(piece), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = rate_hz, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target


def change_image(image: np.ndarray, kind: str) -> np.ndarray:
    """A modified copy of an image. [shape=(height, width) or (height, width, 3), dtype=uint8]."""
    import cv2

    height, width = image.shape[:2]
    every = kind == "all of these"
    across, down = max(1, round(0.02 * width)), max(1, round(0.02 * height))
    if kind.endswith("all round"):
        image = image[down : height - down, across : width - across]
    if every or kind.endswith("corner"):
        image = image[: height - down, across:]
    if every or kind == "mirrored":
        image = image[:, ::-1]
    image = cv2.resize(np.ascontiguousarray(image), (width, height))
    if every or kind.startswith("JPEG"):
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
        image = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)
    return image


def write_image_copy(source: Path, target: Path, kind: str) -> Path:
    """Write a modified copy of an image, without further loss."""
    import cv2

    from aver.corpora.files import read_file

    image = cv2.imdecode(np.frombuffer(read_file(source), np.uint8), cv2.IMREAD_GRAYSCALE)
    target = target.with_suffix(".png")
    cv2.imwrite(str(target), change_image(image, kind))
    return target


def write_video_copy(source: Path, target: Path, kind: str) -> Path:
    """Write a modified copy of a video without its audio, encoded by H.264."""
    import av

    from aver.media.frames import read_frames

    target = target.with_suffix(".mp4")
    change: Callable[[np.ndarray], np.ndarray] = lambda image: change_image(image, kind)  # noqa: E731
    with av.open(str(target), "w") as container:
        stream = None
        for time_s, image in read_frames(source, 30.0):
            if kind.startswith("0.3 s") and time_s < 0.3:
                continue
            changed = image if kind.startswith("0.3 s") else change(image)
            height, width = (side - side % 2 for side in changed.shape[:2])
            if stream is None:
                stream = container.add_stream("libx264", rate=30)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.options = {"crf": "23", "preset": "veryfast"}
            even = np.ascontiguousarray(changed[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode(None))
    return target
