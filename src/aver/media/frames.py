"""Pictures with time stamps, one at a time, from any container and at any rate."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import MissingModalityError, SettingsError
from aver.media.media_file import MediaFile

_Convert = Callable[[Any], np.ndarray]
"""From a decoded frame to a picture."""

_TICK_TOLERANCE_S = 1e-4  # time bases are rational: a tick meant for a frame may miss by this
_BLACK_BELOW = 24  # luma of video black is 16; noise and coding lift it a little
_VISIBLE_SHARE = 0.02  # a picture with this share of pixels above black is one to look at


class FrameReader(Iterator[tuple[float, np.ndarray]]):
    """Iterate over the pictures of a file in constant memory; see `read_frames`.

    Attributes
    ----------
    first_visible_s : float or None
        Time of the first picture that is not black; None before one was met.
    read_s : float
        End of the last picture read so far.
    complete : bool or None
        None while reading; then whether the file was read to its stated end without damage.
    """

    def __init__(
        self,
        path: str | Path,
        rate_hz: float | None = None,
        *,
        skip_black: bool = False,
        outline_px: int | None = None,
    ) -> None:
        if rate_hz is not None and not rate_hz > 0:
            raise SettingsError(f"rate_hz is {rate_hz}; give a positive number of frames a second.")
        self.first_visible_s: float | None = None
        self.read_s = 0.0
        self.complete: bool | None = None
        self._media = MediaFile(path)
        stream = self._media.images()
        if stream is None:
            self._media.container.close()
            raise MissingModalityError(
                f"{path} has no video stream. Use the sound alone, or name another file."
            )
        self._stream: Any = stream
        self._stream.codec_context.thread_count = 1  # files are read in parallel, not frames
        self._skip_black = skip_black
        stamped = self._stamped()
        context = self._stream.codec_context
        convert: _Convert
        if outline_px is None:
            convert = _ToRgb(self._stream.sample_aspect_ratio or context.sample_aspect_ratio)
        else:
            context.options = {"skip_loop_filter": "all"}  # edges of blocks are lost in shrinking
            convert = _ToOutline(outline_px)
        self._images: Generator[tuple[float, np.ndarray]] = (
            ((time_s, convert(frame)) for time_s, frame in stamped)
            if rate_hz is None
            else _sample(stamped, convert, rate_hz, self)
        )

    def __next__(self) -> tuple[float, np.ndarray]:
        return next(self._images)

    def close(self) -> None:
        """Release the file before the end was reached."""
        self._images.close()
        self._media.container.close()

    def _stamped(self) -> Iterator[tuple[float, Any]]:
        """Frames with their times; also keeps `read_s`, `first_visible_s` and `complete`."""
        media, stream = self._media, self._stream
        rate = stream.average_rate or stream.guessed_rate
        usual_gap_s = float(1 / rate) if rate else 0.04
        previous_s: float | None = None
        with media:
            for frame in media.decode(stream):
                time_s = _time_s(frame, media.origin_s)
                if time_s is None:  # some containers stamp no frames; then the rate must do
                    time_s = 0.0 if previous_s is None else previous_s + usual_gap_s
                if time_s < -_TICK_TOLERANCE_S or (previous_s is not None and time_s <= previous_s):
                    continue  # run-up before the start, or a frame that comes twice
                previous_s = time_s = max(time_s, 0.0)
                self.read_s = time_s + usual_gap_s
                if self.first_visible_s is None and is_visible(frame.to_ndarray(format="gray")):
                    self.first_visible_s = time_s
                if self._skip_black and self.first_visible_s is None:
                    continue
                yield time_s, frame
            self.complete = media.warn_if_incomplete(stream, self.read_s)


def read_frames(
    path: str | Path,
    rate_hz: float | None = None,
    *,
    skip_black: bool = False,
    outline_px: int | None = None,
) -> FrameReader:
    """Read the pictures of a file one by one, with the time each is shown at.

    Rotation that the file asks for is carried out, and pixels that are not square are made so.
    Only one picture is held at a time, however long the file.

    Parameters
    ----------
    path : str or Path
        Any video that FFmpeg reads, at constant or changing frame rate.
    rate_hz : float > 0, optional
        Give the picture on display at 0, 1 / rate_hz, 2 / rate_hz ... seconds instead of every
        one; a picture is repeated where the file has fewer. Times are then exactly these.
    skip_black : bool
        Leave out what comes before the first picture that is not black.
    outline_px : int > 0, optional
        Give grey pictures [shape=(outline_px, outline_px)] in place of colours, twice as fast:
        for fingerprints, not for looking at.

    Returns
    -------
    FrameReader
        Iterator over ``(time_s, image)``; picture : np.ndarray [shape=(height, width, 3),
        dtype=uint8], red, green, blue. Its attributes say where the first visible picture was and
        whether the file was complete.

    Raises
    ------
    MediaError
        If the file is missing, empty, a pointer, or nothing in it can be decoded. A file that
        breaks off gives what it has and warns with `TruncatedMediaWarning`.
    MissingModalityError
        If it has no pictures.
    SettingsError
        If `rate_hz` is not positive.
    """
    return FrameReader(path, rate_hz, skip_black=skip_black, outline_px=outline_px)


def is_visible(luma: np.ndarray) -> bool:
    """Whether a grey picture shows anything: at least 2 % of its pixels above black.

    Examples
    --------
    >>> is_visible(np.full((9, 16), 17, np.uint8)), is_visible(np.full((9, 16), 90, np.uint8))
    (False, True)
    """
    return float((luma > _BLACK_BELOW).mean()) >= _VISIBLE_SHARE


def _sample(
    stamped: Iterator[tuple[float, Any]], convert: _Convert, rate_hz: float, reader: FrameReader
) -> Generator[tuple[float, np.ndarray]]:
    tick = 0
    shown: Any = None
    for time_s, frame in stamped:
        if shown is None:
            tick = int(np.ceil((time_s - _TICK_TOLERANCE_S) * rate_hz))
        while shown is not None and tick / rate_hz < time_s - _TICK_TOLERANCE_S:
            yield tick / rate_hz, convert(shown)
            tick += 1
        shown = frame
    while shown is not None and tick / rate_hz < reader.read_s - _TICK_TOLERANCE_S:
        yield tick / rate_hz, convert(shown)
        tick += 1


def _time_s(frame: Any, origin_s: float) -> float | None:
    pts = frame.pts if frame.pts is not None else frame.dts
    return None if pts is None else float(pts * frame.time_base) - origin_s


class _ToRgb:
    """Turn decoded frames into upright pictures with square pixels."""

    def __init__(self, pixel_shape: Any) -> None:
        from av.video.reformatter import VideoReformatter

        # width of a pixel over its height; missing or zero where the file does not say
        self._stretch = float(pixel_shape or 1)
        self._reformatter = VideoReformatter()  # kept, because setting one up takes longer than use

    def __call__(self, frame: Any) -> np.ndarray:
        width = round(frame.width * self._stretch)
        rgb = self._reformatter.reformat(frame, width, frame.height, "rgb24", threads=1)
        return _upright(rgb.to_ndarray(), frame)


class _ToOutline:
    """Turn decoded frames into small grey pictures, upright, each pixel a mean."""

    def __init__(self, side_px: int) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self._side_px, self._mean = side_px, Interpolation.AREA
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Any) -> np.ndarray:
        side = self._side_px
        gray = self._reformatter.reformat(
            frame, side, side, "gray", interpolation=self._mean, threads=1
        )
        return _upright(gray.to_ndarray(), frame)


def _upright(image: np.ndarray, frame: Any) -> np.ndarray:
    """The picture turned as the file asks for."""
    quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise, as rot90's
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image
