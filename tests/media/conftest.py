"""Small media files, written with PyAV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

WriteMedia = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small networks are faster on one thread if several test processes share the cores."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture
def write_media(tmp_path: Path) -> WriteMedia:
    """A function that writes video and audio to one file."""

    def write(
        name: str,
        images: Sequence[np.ndarray] = (),
        *,
        times_s: Sequence[float] | None = None,
        rate_hz: int = 25,
        audio: np.ndarray | None = None,  # (channels, samples)
        audio_hz: int = 16000,
        video_codec: str = "libx264",
        audio_codec: str = "aac",
        pixel_format: str = "yuv420p",
        pixel_shape: Fraction | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=options or {}) as container:
            streams = {}
            if len(images):
                video = container.add_stream(video_codec, rate=rate_hz)
                video.height, video.width = images[0].shape[:2]
                video.pix_fmt = pixel_format
                # MPEG-1 and -2 have fixed frame rates
                has_fixed_rate = video_codec in ("mpeg1video", "mpeg2video")
                tick_s = Fraction(1, rate_hz if has_fixed_rate else 12800)
                video.time_base = video.codec_context.time_base = tick_s
                if video_codec == "libx264":
                    video.options = {"crf": "12", "g": "25"}
                if pixel_shape is not None:
                    video.codec_context.sample_aspect_ratio = pixel_shape
                streams["video"] = video
            if audio is not None:
                layout = "mono" if len(audio) == 1 else "stereo"
                streams["audio"] = container.add_stream(audio_codec, rate=audio_hz, layout=layout)
            if "video" in streams:
                for index, image in enumerate(images):
                    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
                    time_s = index / rate_hz if times_s is None else times_s[index]
                    frame.pts, frame.time_base = round(time_s / tick_s), tick_s
                    container.mux(streams["video"].encode(frame))
                container.mux(streams["video"].encode())
            if audio is not None:
                stream = streams["audio"]
                resampler = av.AudioResampler(
                    format=stream.format, layout=layout, rate=audio_hz,
                    frame_size=stream.codec_context.frame_size or 1024,
                )  # fmt: skip
                samples = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(audio, dtype=np.float32), "fltp", layout
                )
                samples.rate, samples.pts = audio_hz, 0
                samples.time_base = Fraction(1, audio_hz)
                for piece in [*resampler.resample(samples), *resampler.resample(None)]:
                    container.mux(stream.encode(piece))
                container.mux(stream.encode())
        return path

    return write


@pytest.fixture
def numbered() -> Callable[[int], list[np.ndarray]]:
    """A function that makes n gray frames whose brightness is their number."""

    def make(n: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
        return [np.full((height, width, 3), 40 + 8 * (i % 25), np.uint8) for i in range(n)]

    return make
