"""`read_frames`: the frames of a video with their times, one at a time, at any rate."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import MissingModalityError, SettingsError
from aver.media.media_file import MediaFile, fault_flags

_Convert = Callable[[Any], np.ndarray]  # from a decoded frame to an array

_TICK_TOLERANCE_S = 1e-4  # time bases are rational: a tick may miss its frame by this much
_BLACK_BELOW = 24  # luma of video black is 16; noise and coding raise it a little
_VISIBLE_SHARE = 0.02  # a frame with this share of pixels above black is not black


def read_frames(
    path: str | Path,
    rate_hz: float | None = None,
    *,
    skip_black: bool = False,
    outline_px: int | None = None,
    stream: int | None = None,
) -> FrameReader:
    """Read the frames of a video one by one, with the time at which each is displayed.

    The rotation and mirroring stored in the file are applied, and pixels are made square. Only one
    frame is held in memory at a time, whatever the length of the file.

    Parameters
    ----------
    path : str or Path
        Any video that FFmpeg reads, with constant or variable frame rate.
    rate_hz : float > 0, optional
        Give the frame on display at 0, 1 / rate_hz, 2 / rate_hz ... seconds instead of all frames;
        a frame is repeated if the file has fewer. Times are exactly these.
    skip_black : bool
        Leave out the frames before the first one that is not black.
    outline_px : int > 0, optional
        Give gray images [shape=(outline_px, outline_px)] instead of color, twice as fast. Meant for
        fingerprints, not for display.
    stream : int, optional
        See `aver.media.media_file.MediaFile`.

    Returns
    -------
    FrameReader
        Iterator over ``(time_s, frame)``; frame : np.ndarray [shape=(height, width, 3),
        dtype=uint8] in RGB. Its attributes give the time of the first visible frame and whether
        the file was complete.

    Raises
    ------
    MediaError
        If the file is missing, empty, a Git LFS pointer, or nothing in it can be decoded. A
        truncated file gives what it has and warns with `TruncatedMediaWarning`.
    MissingModalityError
        If it has no video.
    SettingsError
        If `rate_hz` is not positive.
    """
    return FrameReader(path, rate_hz, skip_black=skip_black, outline_px=outline_px, stream=stream)


class FrameReader(Iterator[tuple[float, np.ndarray]]):
    """Iterator over the frames of a file in constant memory; see `read_frames`.

    Attributes
    ----------
    first_visible_s : float or None
        Time of the first frame that is not black; None until there is one.
    read_s : float
        End of the last frame read so far.
    complete : bool or None
        None while reading; then whether the file was read to its stated end without damage.
    flags : tuple of str
        What was wrong with the part read so far; complete after the last frame.
    """

    def __init__(
        self,
        path: str | Path,
        rate_hz: float | None = None,
        *,
        skip_black: bool = False,
        outline_px: int | None = None,
        stream: int | None = None,
    ) -> None:
        if rate_hz is not None and not rate_hz > 0:
            raise SettingsError(
                f"rate_hz is {rate_hz}; give a positive number of frames per second."
            )
        self.first_visible_s: float | None = None
        self.read_s = 0.0
        self.complete: bool | None = None
        self._media = MediaFile(path, video_stream=stream)
        chosen = self._media.video_stream()
        if chosen is None:
            self._media.container.close()
            raise MissingModalityError(
                f"{path} has no video. Use the audio alone, or give another file."
            )
        self._stream: Any = chosen
        self._stream.codec_context.thread_count = 1  # files are read in parallel instead of frames
        self._skip_black = skip_black
        stamped = self._stamped()
        context = self._stream.codec_context
        convert: _Convert
        if outline_px is None:
            convert = _ToRgb(
                self._stream.sample_aspect_ratio or context.sample_aspect_ratio, self._media.path
            )
        else:
            context.options = {"skip_loop_filter": "all"}  # shrinking removes the edges of blocks
            convert = _ToOutline(outline_px, self._media.path)
        self._frames: Generator[tuple[float, np.ndarray]] = (
            ((time_s, convert(frame)) for time_s, frame in stamped)
            if rate_hz is None
            else _sample(stamped, convert, rate_hz, self)
        )

    def __next__(self) -> tuple[float, np.ndarray]:
        return next(self._frames)

    @property
    def flags(self) -> tuple[str, ...]:
        """See the class."""
        return fault_flags(self._media, "video", self.complete)

    def close(self) -> None:
        """Release the file before the end was reached."""
        self._frames.close()
        self._media.container.close()

    def _stamped(self) -> Iterator[tuple[float, Any]]:
        """Frames with their times; updates `read_s`, `first_visible_s` and `complete`."""
        media, stream = self._media, self._stream
        rate = stream.average_rate or stream.guessed_rate
        usual_gap_s = float(1 / rate) if rate else 0.04
        previous_s: float | None = None
        with media:
            for frame in media.decode(stream):
                time_s = _time_s(frame, media.origin_s)
                if time_s is None:  # some containers have no time stamps: use the frame rate
                    time_s = 0.0 if previous_s is None else previous_s + usual_gap_s
                if time_s < -_TICK_TOLERANCE_S or (previous_s is not None and time_s <= previous_s):
                    continue  # before the start, or a repeated frame
                if media.clock.mended and previous_s is not None:  # the mean rate counts the jump
                    usual_gap_s = min(usual_gap_s, time_s - previous_s)
                previous_s = time_s = max(time_s, 0.0)
                self.read_s = time_s + usual_gap_s
                if self.first_visible_s is None and is_visible(frame.to_ndarray(format="gray")):
                    self.first_visible_s = time_s
                if self._skip_black and self.first_visible_s is None:
                    continue
                yield time_s, frame
            self.complete = media.warn_if_incomplete(stream, self.read_s)


def is_visible(luma: np.ndarray) -> bool:
    """Whether a gray image is not black: at least 2 % of its pixels are above black.

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
    """Converts decoded frames to upright RGB images with square pixels."""

    def __init__(self, pixel_shape: Any, path: Path) -> None:
        from av.video.reformatter import VideoReformatter

        # width of a pixel over its height; missing or zero if the file does not say
        self._stretch = float(pixel_shape or 1)
        self._path = path
        self._reformatter = VideoReformatter()  # kept: creating one takes longer than using it

    def __call__(self, frame: Any) -> np.ndarray:
        width = round(frame.width * self._stretch)
        rgb = self._reformatter.reformat(frame, width, frame.height, "rgb24", threads=1)
        return _upright(rgb.to_ndarray(), orientation(frame, self._path))


class _ToOutline:
    """Converts decoded frames to small upright gray images; each pixel is a mean."""

    def __init__(self, side_px: int, path: Path) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self._side_px, self._mean, self._path = side_px, Interpolation.AREA, path
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Any) -> np.ndarray:
        side = self._side_px
        gray = self._reformatter.reformat(
            frame, side, side, "gray", interpolation=self._mean, threads=1
        )
        return _upright(gray.to_ndarray(), orientation(frame, self._path))


Orientation = tuple[bool, bool, bool]
"""Whether rows are shown as columns, and then whether left and right, and up and down, swap."""

_EXIF_TAG = 0x0112
_EXIF: dict[int, Orientation] = {  # Exif 2.3, 4.6.4: where the first row and column are shown
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


def _upright(image: np.ndarray, shown: Orientation) -> np.ndarray:
    """The image as the file says that it is to be shown: turned by quarters, and mirrored."""
    across, mirrored_x, mirrored_y = shown
    if across:
        image = image.swapaxes(0, 1)
    if mirrored_x:
        image = image[:, ::-1]
    if mirrored_y:
        image = image[::-1]
    return np.ascontiguousarray(image)


def orientation(frame: Any, path: Path) -> Orientation:
    """From the display matrix of MP4 or the EXIF data of pictures.

    With the matrix, a stored pixel (x, y) is shown at (a x + c y, b x + d y). Angles between
    quarters are rounded.
    """
    from av.sidedata.sidedata import Type

    try:
        data = frame.side_data.get(Type.DISPLAYMATRIX)
    except ValueError:  # PyAV cannot list the side data of pictures with EXIF
        return _exif_orientation(path)
    if data is None:
        return False, False, False
    a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32).astype(np.int64)
    across = abs(a) + abs(d) < abs(b) + abs(c)
    return (True, bool(c < 0), bool(b < 0)) if across else (False, bool(a < 0), bool(d < 0))


@lru_cache(maxsize=1)
def _exif_orientation(path: Path) -> Orientation:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            tag = picture.getexif().get(_EXIF_TAG)
    except (OSError, ValueError, SyntaxError):
        tag = None
    return _EXIF.get(tag or 1, (False, False, False))
