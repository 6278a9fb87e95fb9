"""Pictures and sound written without loss: what is read back is what was written."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

_TICKS = Fraction(1, 90_000)
_SILENCE_HZ = 8000
_X264 = {"preset": "ultrafast", "qp": "0"}  # lossless H.264 in RGB


def write_pictures(path: Path, pictures: Iterable[tuple[float, np.ndarray]]) -> None:
    """Write pictures with the times they are shown at.

    Parameters
    ----------
    path : Path
        Ends in ``.mov``.
    pictures : iterable of (float, np.ndarray [shape=(height, width, 3), dtype=uint8])
        Time in seconds, rising, to a ninety-thousandth; red, green, blue. At least one.
    """
    import av

    with av.open(str(path), "w", format="mov") as container:
        stream = None
        for time_s, picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if stream is None:
                silence = container.add_stream("pcm_s16le", rate=_SILENCE_HZ, layout="mono")
                stream = container.add_stream("libx264rgb", options=_X264)
                stream.codec_context.thread_count = 1
                stream.width, stream.height = frame.width, frame.height
                stream.pix_fmt = "rgb24"
                stream.codec_context.time_base = _TICKS
                # The file's clock starts with its first stream: a silence from 0 on keeps the
                # times of pictures that begin later.
                quiet = av.AudioFrame.from_ndarray(
                    np.zeros((1, _SILENCE_HZ // 100), np.int16), format="s16", layout="mono"
                )
                quiet.sample_rate, quiet.pts = _SILENCE_HZ, 0
                container.mux(silence.encode(quiet))
                container.mux(silence.encode(None))
            frame.pts, frame.time_base = round(time_s / _TICKS), _TICKS
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))


def write_sound(path: Path, sound: np.ndarray, rate_hz: int) -> None:
    """Write sound as a WAV file of 32-bit floats, louder than full scale where it is.

    Parameters
    ----------
    path : Path
    sound : np.ndarray [shape=(samples,), dtype=float32]
    rate_hz : int
    """
    import soundfile

    soundfile.write(path, sound, rate_hz, subtype="FLOAT", format="WAV")
