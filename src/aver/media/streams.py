"""Which streams of a file are read: those that players take, or those that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import MediaError

SILENT = 1e-4
"""Share of full scale, -80 dB: below one step of 13-bit audio, above dither."""

_LOOK_S = 60.0  # of audio, in search of a stream that is not silent


def ranked_streams(streams: Sequence[Any]) -> list[Any]:
    """The streams of one type that have a decoder; the one that players take comes first.

    Cover images are no video. A stream that is marked as the default comes first; among equals the
    first one counts. Commentaries and tracks for people with impaired hearing or sight are left
    out, unless there are only such tracks.

    Parameters
    ----------
    streams : sequence of av.stream.Stream
    """
    from av.stream import Disposition

    special = Disposition.comment | Disposition.hearing_impaired | Disposition.visual_impaired
    usable = [
        stream
        for stream in streams
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic
    ]
    usable.sort(key=lambda stream: (not stream.disposition & Disposition.default, stream.index))
    return [stream for stream in usable if not stream.disposition & special] or usable


def check_named_stream(container: Any, path: Path, kind: str, index: int) -> None:
    """Refuse a stream that the user names if it cannot be read.

    Parameters
    ----------
    container : av.container.InputContainer
    path : Path
        For the message.
    kind : {"video", "audio"}
    index : int
        Among all streams of the file, from 0, as `aver check` and ffprobe print it.

    Raises
    ------
    MediaError
        If there is no such stream, it is of another kind, or it has no decoder.
    """
    streams = container.streams
    if 0 <= index < len(streams) and streams[index].type == kind:
        if streams[index].codec_context is not None:
            return
        what = f"is {kind} without a decoder"
    else:
        what = f"is no {kind}" if 0 <= index < len(streams) else "does not exist"
    listed = ", ".join(f"{one.index} {_kind(one)}" for one in streams)
    raise MediaError(f"Stream {index} of {path} {what}. Choose among its streams: {listed}.")


def _kind(stream: Any) -> str:
    context = stream.codec_context
    return f"{stream.type} ({context.name})" if context is not None else f"{stream.type} (unknown)"


def first_with_sound(container: Any, indices: Sequence[int]) -> int:
    """The first of several audio streams that is not silent in the first minute.

    Parameters
    ----------
    container : av.container.InputContainer
        Opened for this purpose; it is read up to where the first stream has sound, for a minute of
        audio at most.
    indices : sequence of int
        The streams, the preferred one first. It is the result if all are silent.
    """
    import av

    streams = [container.streams[index] for index in indices]
    with_sound: set[int] = set()
    heard_s = dict.fromkeys(indices, 0.0)
    try:
        for packet in container.demux(streams):
            index = packet.stream.index
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError, OverflowError):
                continue
            for frame in frames:
                heard_s[index] += frame.samples / frame.sample_rate
                if _is_sound(frame.to_ndarray()):
                    with_sound.add(index)
            if indices[0] in with_sound or max(heard_s.values()) > _LOOK_S:
                break
    except (av.FFmpegError, ValueError, OverflowError):
        pass  # said when the stream is read
    return next((index for index in indices if index in with_sound), indices[0])


def _is_sound(values: np.ndarray) -> bool:
    """Whether samples of any format differ; each row is a channel, or all channels in turn."""
    if not values.size:
        return False
    if values.dtype.kind == "f":
        values, full_scale = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), 1.0
    else:
        full_scale = (float(np.iinfo(values.dtype).max) + 1) / (
            1 if values.dtype != np.uint8 else 2
        )
    return float(values.max()) - float(values.min()) > SILENT * full_scale
