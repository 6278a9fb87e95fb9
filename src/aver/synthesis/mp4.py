"""Encoding of pictures and sound as one H.264/AAC MP4 file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np

# Macroblock-tree rate control (part of the presets from veryfast on) does not give the same bits
# every time: measured with x264 as PyAV 18 carries it, the first file of a process differed.
_X264 = {"preset": "superfast", "crf": "20", "x264-params": "mbtree=0"}


def encode_mp4(
    pictures: Iterable[np.ndarray], fps: float, sound: np.ndarray, rate_hz: int
) -> bytes:
    """Encode in memory, so that only whole files ever reach the disk.

    Parameters
    ----------
    pictures : iterable of np.ndarray [shape=(height, width, 3), dtype=uint8]
        BGR, at least one; height and width are even.
    fps : float
    sound : np.ndarray [shape=(samples,), dtype=float32]
        Within -1 to 1.
    rate_hz : int

    Returns
    -------
    bytes
        The same for the same input: encoders run in one thread each.
    """
    buffer = io.BytesIO()
    frame_rate = Fraction(fps).limit_denominator(1001)
    with av.open(buffer, "w", format="mp4") as container:
        audio = container.add_stream("aac", rate=rate_hz, layout="mono", bit_rate=64_000)
        video = None
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            if video is None:
                video = container.add_stream("libx264", rate=frame_rate, options=_X264)
                video.codec_context.thread_count = 1
                video.width, video.height = frame.width, frame.height
                video.pix_fmt = "yuv420p"
            container.mux(video.encode(frame))
        if video is not None:
            container.mux(video.encode(None))
        samples = av.AudioFrame.from_ndarray(
            sound.astype(np.float32)[None, :], format="fltp", layout="mono"
        )
        samples.sample_rate = rate_hz
        # Without a time stamp the encoder's delay would not be told, and the sound would be late.
        samples.pts, samples.time_base = 0, Fraction(1, rate_hz)
        container.mux(audio.encode(samples))
        container.mux(audio.encode(None))
    return buffer.getvalue()
