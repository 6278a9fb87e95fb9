"""Files of corpora: media in folders and tar archives, Git LFS pointers, CSV tables."""

from __future__ import annotations

import codecs
import csv
import re
import stat
import tarfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from aver.corpora.corpus import Problem
from aver.errors import CorpusError, MediaError
from aver.execution.documents import table_lines
from aver.execution.files import composed, printable, walk_files

# The names of containers that FFmpeg reads, without those of raw samples, subtitles and game data.
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mov", ".mkv", ".flv", ".mpg", ".mpeg"}
    | {".webm", ".m4v", ".wmv", ".asf", ".3gp", ".3g2", ".ogv", ".ogm", ".ts", ".mts", ".m2ts"}
    | {".m2t", ".m2v", ".mpv", ".vob", ".mxf", ".f4v", ".divx", ".rm", ".rmvb", ".dv", ".gif"}
    | {".qt", ".mpe", ".m1v", ".mod", ".tod", ".tp", ".trp", ".wtv", ".dvr-ms", ".mk3d", ".mj2"}
    | {".mjpeg", ".mjpg", ".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".ivf", ".obu"}
    | {".y4m", ".nut", ".gxf", ".nsv", ".amv", ".dav", ".ismv", ".swf", ".vc1", ".viv", ".apng"}
)
AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a"}
    | {".aac", ".aif", ".aiff", ".aifc", ".wma", ".au", ".snd", ".sph", ".amr", ".awb", ".weba"}
    | {".caf", ".mka", ".mp2", ".ac3", ".eac3", ".dts", ".spx", ".w64", ".rf64", ".ape", ".wv"}
    | {".tta", ".voc", ".gsm", ".m4b", ".3ga", ".wave", ".bwf", ".m4r", ".adts", ".mp1", ".mpa"}
    | {".m2a", ".ec3", ".mpc", ".tak", ".shn", ".oma", ".aa3", ".qcp", ".dss", ".ra", ".isma"}
    | {".g722", ".mlp", ".thd", ".dtshd", ".ircam", ".nist", ".sbc", ".qoa", ".aob"}
)
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
    | {".jpe", ".jfif", ".jp2", ".j2k", ".jxl", ".mpo", ".heic", ".heif", ".avif"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".qoi"}
)

MEDIA_SUFFIXES = VIDEO_SUFFIXES | AUDIO_SUFFIXES | IMAGE_SUFFIXES

_POINTER_MAGIC = b"version https://git-lfs.github.com/spec/"
_LARGEST_POINTER_BYTES = 1024  # the Git LFS specification, "The Pointer"


@dataclass(frozen=True)
class MediaFiles:
    """Usable files, sorted by their path below the folder, and those that cannot be media.

    Parameters
    ----------
    files : tuple of Path
    problems : tuple of Problem
    others : mapping of str to int
        Number of files with suffixes of no media, by suffix.
    """

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    others: Mapping[str, int] = field(default_factory=dict)


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file is the small text that a clone without Git LFS has for a large file.

    Parameters
    ----------
    path : Path
        An existing file.

    Notes
    -----
    Source: the Git LFS specification: a pointer is shorter than 1,024 bytes and its first line is
    ``version https://git-lfs.github.com/spec/v1``.
    """
    if path.stat().st_size >= _LARGEST_POINTER_BYTES:
        return False
    with path.open("rb") as handle:
        return handle.read(len(_POINTER_MAGIC)) == _POINTER_MAGIC


def media_fault(path: Path) -> str | None:
    """The reason why a file cannot be media, as a sentence; None if it may be."""
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            return "This is a folder, not a file."
        if not stat.S_ISREG(path.stat().st_mode):
            return "This is a device, a pipe or a socket, not an ordinary file."
        if path.stat().st_size == 0:
            return "The file is empty (0 bytes)."
        if is_lfs_pointer(path):
            return "The file is a Git LFS pointer, not the media; run 'git lfs pull' in its clone."
    except OSError as error:
        return f"The file cannot be read: {error.strerror}."
    except ValueError:  # a name with a null byte
        return "No file can have this name: it holds a null character."
    return None


def media_kind(path: Path) -> Literal["audio", "image", "video"]:
    """What a media file holds, by its suffix; all suffixes that are not known are video."""
    suffix = path.suffix.lower()
    if suffix in AUDIO_SUFFIXES:
        return "audio"
    return "image" if suffix in IMAGE_SUFFIXES else "video"


def find_media(root: Path, suffixes: Collection[str]) -> MediaFiles:
    """List the files below `root` that have one of the suffixes.

    Parameters
    ----------
    root : Path
        An existing folder. Hidden files and folders are skipped.
    suffixes : collection of str
        In lower case with the dot; the case of the files' suffixes does not matter.

    Returns
    -------
    MediaFiles
        Empty files, LFS pointers and folders that cannot be opened are among the problems.

    Raises
    ------
    CorpusError
        If `root` is not a folder.
    """
    if not root.is_dir():
        raise CorpusError(f"{root} is not a folder. Give the folder that holds the corpus.")
    files: list[Path] = []
    problems: list[Problem] = []

    def unopened(folder: Path, error: OSError) -> None:
        where = folder.relative_to(root).as_posix()
        problems.append(Problem(where, f"The folder cannot be opened: {error.strerror}."))

    others: Counter[str] = Counter()
    for path in walk_files(root, unopened):
        suffix = path.suffix.lower()
        if suffix not in suffixes:
            if suffix not in MEDIA_SUFFIXES:
                others[printable(suffix)] += 1
            continue
        fault = media_fault(path)
        if fault is None:
            files.append(path)
        else:
            problems.append(Problem(path.relative_to(root).as_posix(), fault))
    files.sort(key=lambda path: path.relative_to(root).as_posix())
    problems.sort(key=lambda problem: problem.path)
    return MediaFiles(tuple(files), tuple(problems), others)


def find_named(root: Path, pattern: str) -> tuple[Path, ...]:
    """List the files below `root` whose names match a pattern, such as tables of labels.

    Parameters
    ----------
    root : Path
        An existing folder. Hidden files and folders are skipped.
    pattern : str
        Regular expression for the whole name; case does not matter.

    Returns
    -------
    tuple of Path
        Sorted by their path below the folder.
    """
    named = re.compile(pattern, re.IGNORECASE)
    found = (path for path in walk_files(root) if named.fullmatch(path.name))
    return tuple(sorted(found, key=lambda path: path.relative_to(root).as_posix()))


def read_lines(path: Path) -> list[str]:
    """Lines of a text file in UTF-8, UTF-16 or GB 18030, whichever it is in.

    Raises
    ------
    CorpusError
        If the file cannot be read, or is in none of these encodings.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"The file {path} cannot be read: {error.strerror}.") from error
    encodings = ["utf-8-sig", "gb18030"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            return content.decode(encoding).splitlines()
        except UnicodeDecodeError:
            continue
    raise CorpusError(f"The file {path} is no text in UTF-8, UTF-16 or GB 18030.")


def group_media(
    root: Path,
    suffixes: Collection[str],
    assign: Callable[[Path], tuple[str, str] | str | None],
) -> tuple[dict[str, dict[str, Path]], list[Problem]]:
    """Group the media files below `root` by clip.

    Parameters
    ----------
    root : Path
        An existing folder.
    suffixes : collection of str
        See `find_media`.
    assign : callable
        From a path relative to `root` to the clip and the kind of the file (such as its suffix);
        to the reason why the file is skipped and listed; or to None if it is not of interest.

    Returns
    -------
    dict of str to dict of str to Path
        Files by clip, then by kind.
    list of Problem
        Skipped files, and second files of the same kind for a clip, of which the first is used.
    """
    found = find_media(root, suffixes)
    problems = list(found.problems)
    clips: dict[str, dict[str, Path]] = {}
    for path in found.files:
        place = path.relative_to(root)
        assigned = assign(place)
        if isinstance(assigned, str):
            problems.append(Problem(place.as_posix(), assigned))
        elif assigned is not None:
            clip, kind = assigned
            used = clips.setdefault(clip, {}).setdefault(kind, path)
            if used is not path:
                first = used.relative_to(root).as_posix()
                problems.append(
                    Problem(place.as_posix(), f"A second copy of {first}, which is used.")
                )
    return clips, problems


@dataclass(frozen=True)
class Member:
    """Position and size of one file in an archive."""

    offset_bytes: int
    size_bytes: int


def archive_members(archive: Path) -> dict[str, Member]:
    """Index the files of an uncompressed tar archive.

    Parameters
    ----------
    archive : Path
        The index is kept in memory until the file changes.

    Returns
    -------
    dict of str to Member
        By name, without a leading ``./``.

    Raises
    ------
    CorpusError
        If the file is missing, compressed, or not a tar archive.
    """
    try:
        status = archive.stat()
        return _index(archive.resolve(), status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise CorpusError(f"The archive {archive} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=8)
def _index(archive: Path, _mtime_ns: int, _size_bytes: int) -> dict[str, Member]:
    try:
        # "r:" rejects compressed archives, in which a file cannot be read without all before it.
        with tarfile.open(archive, "r:") as opened:
            return {
                member.name.removeprefix("./"): Member(member.offset_data, member.size)
                for member in opened
                if member.isreg()
            }
    except tarfile.TarError as error:
        raise CorpusError(
            f"{archive} is not an uncompressed tar archive: {error}. Unpack it, or give the folder."
        ) from error


def read_file(path: Path) -> bytes:
    """Read a whole file, from a folder or from inside a tar archive.

    Parameters
    ----------
    path : Path
        As `Clip.video` or `Clip.audio` hold it.

    Returns
    -------
    bytes

    Raises
    ------
    MediaError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> len(read_file(Path(__file__))) > 1000
    True
    """
    try:
        archive = next((parent for parent in path.parents if parent.is_file()), None)
        if archive is None:
            return path.read_bytes()
        name = path.relative_to(archive).as_posix()
        if archive.suffix.lower() == ".csv":
            return read_pixel_row(archive, int(Path(name).stem))
        members = archive_members(archive)
        if name not in members:
            raise MediaError(f"There is no file {name!r} in the archive {archive}.")
        with archive.open("rb") as handle:
            handle.seek(members[name].offset_bytes)
            content = handle.read(members[name].size_bytes)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}.") from error
    except CorpusError as error:
        raise MediaError(f"{path} cannot be read. {error}") from error
    if len(content) < members[name].size_bytes:
        raise MediaError(f"{path} is cut short: the archive {archive} ends within it.")
    return content


PIXELS = "pixels"
"""Column of a table of images: the gray levels of a square image, separated by spaces."""


@lru_cache(maxsize=4)
def _line_offsets(table: Path, _mtime_ns: int, _size_bytes: int) -> tuple[int, ...]:
    offsets = [0]
    with table.open("rb") as handle:
        for line in handle:
            offsets.append(offsets[-1] + len(line))
    return tuple(offsets)


def read_pixel_row(table: Path, row: int) -> bytes:
    """One image of a table with a column ``pixels``, as a PNG file.

    Parameters
    ----------
    table : Path
        CSV, one line per image. Where its lines begin is kept in memory until the file changes.
    row : int >= 0
        Counted from the first line after the header.

    Raises
    ------
    MediaError
        If there is no such row, or its pixels are no square image.
    """
    import cv2
    import numpy as np

    status = table.stat()
    offsets = _line_offsets(table.resolve(), status.st_mtime_ns, status.st_size)
    if not 0 <= row < len(offsets) - 2:
        raise MediaError(f"The table {table} has no row {row}.")
    with table.open("rb") as handle:
        header = handle.readline().decode("utf-8-sig")
        names = [name.strip() for name in header.split(",")]
        handle.seek(offsets[row + 1])
        cells = handle.read(offsets[row + 2] - offsets[row + 1]).decode("utf-8", "replace")
    values = dict(zip(names, next(csv.reader([cells])), strict=False))
    try:
        pixels = np.array(values[PIXELS].split(), np.int64)
    except (KeyError, ValueError):
        raise MediaError(f"Row {row} of {table} has no readable column {PIXELS!r}.") from None
    side = int(np.sqrt(pixels.size))
    if side == 0 or side * side != pixels.size or pixels.min() < 0 or pixels.max() > 255:
        raise MediaError(
            f"Row {row} of {table} is no square image of 8 bits: it has {pixels.size} values."
        )
    encoded, content = cv2.imencode(".png", pixels.astype(np.uint8).reshape(side, side))
    assert encoded
    return content.tobytes()


@dataclass(frozen=True)
class Table:
    """Rows of text by column, each with the number of its last line."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


_OLD_COLUMNS = {"sound": "audio", "units": "action_units", "part": "subset"}
"""Names of columns in version 0.1 to today's names."""


def read_table(path: Path, needed: Collection[str] = ()) -> Table:
    """Read a CSV file with a header.

    Columns are separated by the one of ``,``, ``;`` and tab that the header has most often.

    Columns with names of version 0.1 (``sound``, ``units``, ``part``) get today's names.

    Parameters
    ----------
    path : Path
        In UTF-8, with or without a byte-order mark.
    needed : collection of str
        Required columns.

    Returns
    -------
    Table
        Values without surrounding spaces, accents composed; missing cells of short rows are empty.

    Raises
    ------
    CorpusError
        If the file cannot be read, is not CSV in UTF-8, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            separator = column_separator(next(table_lines(handle), ""))
            handle.seek(0)
            reader = csv.DictReader(table_lines(handle), restval="", delimiter=separator)
            given = [name.strip() for name in reader.fieldnames or ()]
            columns = tuple(_column(name, given) for name in given)
            rows = tuple(
                (
                    reader.line_num,
                    {
                        _column(key.strip(), given): composed(value.strip())
                        for key, value in row.items()
                        if key is not None
                    },
                )
                for row in reader
            )
    except OSError as error:
        raise CorpusError(f"The table {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"The table {path} is not a CSV file in UTF-8: {error}.") from error
    for column in needed:
        if column not in columns:
            raise CorpusError(
                f"The table {path} has no column {column!r}. It has: "
                f"{', '.join(columns) or 'none'}."
            )
    return Table(path, columns, rows)


def column_separator(header: str) -> str:
    """The separator of a table: the most frequent of ``,``, ``;`` and tab outside quotes.

    Examples
    --------
    >>> column_separator('file;"speaker, or group";emotion')
    ';'
    """
    bare = re.sub('"[^"]*"', "", header)
    return max((",", ";", "\t"), key=bare.count)


def _column(name: str, given: Collection[str]) -> str:
    """Today's name of a column, unless the table has a column of that name as well."""
    today = _OLD_COLUMNS.get(name, name)
    return name if today in given else today
