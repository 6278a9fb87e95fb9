"""`open_sources`: paths, file objects, bytes, arrays and recordings as files in one order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.corpora.user_files import UserFile, find_user_files
from aver.errors import MediaError, SettingsError
from aver.media.recording import Recording

_KINDS = (
    "Give a path, a file object, bytes, (samples, rate_hz), an aver.Recording, or several of them "
    "in a list."
)


@dataclass(frozen=True)
class Sources:
    """The files of a request.

    Parameters
    ----------
    files : tuple of UserFile
        One per row of the result, in the order given.
    corpus : Corpus
        Of the usable files, each once.
    folder : Path or None
        Where data in memory were written, for the time of the request; None if there were none.
    """

    files: tuple[UserFile, ...]
    corpus: Corpus
    folder: Path | None = None


@contextmanager
def open_sources(given: Any) -> Iterator[Sources]:
    """Find the files of a request, and write data in memory to temporary files.

    Parameters
    ----------
    given : object
        One source or an iterable of several: str or path (also of a folder), file object opened in
        binary mode, bytes of a media file, array of one RGB picture, ``(samples, rate_hz)``,
        mapping with ``array`` and ``sampling_rate`` (the audio of Hugging Face datasets), or
        `Recording`.

    Yields
    ------
    Sources
        Its temporary files are removed at the end.

    Raises
    ------
    SettingsError
        If a source is none of these, or there is none.
    """
    sources = listed(given)
    if not sources:
        raise SettingsError(f"There is nothing to predict. {_KINDS}")
    named = [n for n, one in enumerate(sources) if isinstance(one, str | os.PathLike)]
    corpus, files = find_user_files([_path(sources[number]) for number in named])
    if len(named) == len(sources):
        yield Sources(files, corpus)
        return
    rows = [replace(file, source=named[file.source]) for file in files]
    clips = dict(corpus.by_id)
    with tempfile.TemporaryDirectory(prefix="aver-") as name:
        for number in sorted({*range(len(sources))} - {*named}):
            clip = _written(sources[number], number, Path(name))
            rows.append(UserFile("", clip.clip_id, clip.clip_id, source=number))
            clips[clip.clip_id] = clip
        by_id = tuple(sorted(clips.values(), key=lambda clip: clip.clip_id))
        rows.sort(key=lambda file: file.source)
        yield Sources(tuple(rows), replace(corpus, clips=by_id), Path(name))


def listed(given: Any) -> list[Any]:
    """The sources in a list, whether one is given or several.

    Examples
    --------
    >>> listed("clip.mp4"), listed(iter(["a.mp4", "b.mp4"]))
    (['clip.mp4'], ['a.mp4', 'b.mp4'])
    """
    is_names = isinstance(given, np.ndarray) and given.dtype.kind in "UO"
    if not is_names and (_is_source(given) or isinstance(given, Clip)):
        return [given]
    if not isinstance(given, Iterable):
        raise SettingsError(f"{_shown(given)} cannot be predicted. {_KINDS}")
    return list(given)


def _is_source(given: Any) -> bool:
    kinds = (str, os.PathLike, bytes, bytearray, memoryview, Recording, Mapping, np.ndarray)
    return isinstance(given, kinds) or hasattr(given, "read") or _is_audio(given)


def _is_audio(given: Any) -> bool:
    """Whether it is a pair of samples and their rate."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        return False
    samples, rate = given
    return isinstance(samples, np.ndarray) and isinstance(rate, int | float | np.number)


def _path(source: str | os.PathLike[Any]) -> str | Path:
    name = os.fspath(source)
    return Path(os.fsdecode(name)) if isinstance(name, bytes) else name


def _written(source: Any, number: int, folder: Path) -> Clip:
    """The clip of data in memory, in files of its own."""
    own = folder / str(number)
    own.mkdir()
    name = f"item:{number}"  # with a colon, which names of media rarely have
    if isinstance(source, bytes | bytearray | memoryview) or hasattr(source, "read"):
        content = source.read() if hasattr(source, "read") else source
        if not isinstance(content, bytes | bytearray | memoryview):
            raise SettingsError(f"Item {number} is a file opened as text. Open it with mode 'rb'.")
        path = own / "media"
        path.write_bytes(content)
        return Clip(name, None, None, video=path, audio=path)
    try:
        video, audio = _recording(source, number).write(own)
    except MediaError as error:
        raise SettingsError(f"Item {number}: {error}") from None
    return Clip(name, None, None, video=video, audio=audio)


def _recording(source: Any, number: int) -> Recording:
    if isinstance(source, Recording):
        return source
    if _is_audio(source):
        return Recording(audio=source[0], audio_rate_hz=source[1])
    if isinstance(source, Mapping) and {"array", "sampling_rate"} <= source.keys():
        return Recording(audio=source["array"], audio_rate_hz=source["sampling_rate"])
    if isinstance(source, np.ndarray) and source.ndim == 3:
        return Recording(frames=source)
    if isinstance(source, np.ndarray):
        raise SettingsError(
            f"Item {number} is an array of the shape {source.shape} without a rate. Give "
            "(samples, rate_hz), or aver.Recording(frames=..., frame_rate_hz=...)."
        )
    raise SettingsError(f"Item {number}, {_shown(source)}, cannot be predicted. {_KINDS}")


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) < 60 else f"an object of the type {type(given).__name__}"
