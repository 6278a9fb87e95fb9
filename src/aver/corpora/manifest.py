"""Anybody's own folder of clips: a pattern for its file names, or a CSV table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem, corpora
from aver.corpora.guess import MANIFEST_NAMES
from aver.corpora.layout import Layout, parse_codes, read_layout
from aver.corpora.media_files import (
    IMAGE_SUFFIXES,
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    find_media,
    media_fault,
)
from aver.corpora.name_pattern import FIELDS, NamePattern
from aver.corpora.table import read_table
from aver.errors import AverError, CorpusError, SettingsError

_FILES = ("file", "video", "sound")


@corpora.register("manifest")
@dataclass(frozen=True)
class Manifest(CorpusReader):
    """Reads any folder, described by a pattern, a CSV table or a small YAML or JSON file.

    What is given here goes before what the description file says. Without any of it the folder
    itself must hold ``aver-corpus.yaml``, ``.json`` or ``.csv``. The corpus's path may also be the
    CSV or description file itself; files are then looked for in its folder.

    Parameters
    ----------
    pattern : str
        For instance ``"{speaker}-{sentence}-{emotion}_{take}.mp4"``, see
        `aver.corpora.name_pattern.NamePattern`. A file of pictures and one of sound with equal
        fields are one clip, where each is the only one of its kind.
    labels, sexes, intensities : mapping of str to str, or str
        What codes mean, see `aver.corpora.layout.Layout`; as text ``"01=neutral,02=sad"``.
    config : str
        Path of a description file, or the name of one that comes with the package:
        ``javanese-av``.
    table : str
        Name of a CSV file in the folder with a column ``file`` (or ``video`` and ``sound``), and
        any of ``clip_id``, ``speaker``, ``emotion``, ``sentence``, ``take``, ``intensity``,
        ``sex``, ``channel``, ``performance``, ``part``.

    Raises
    ------
    SettingsError
        If nothing describes the folder, or a description is faulty.
    """

    pattern: str = ""
    labels: Mapping[str, str] | str = field(default_factory=dict)
    sexes: Mapping[str, str] | str = field(default_factory=dict)
    intensities: Mapping[str, str] | str = field(default_factory=dict)
    config: str = ""
    table: str = ""

    name = "manifest"
    info = CorpusInfo(
        title="Clips of one's own",
        licence="as stated by their owner",
        citation="none; state it in the description file",
        url="",
        tree=(
            "clips/\n"
            "  aver-corpus.yaml     pattern: '{speaker}-{sentence}-{emotion}_{take}.mp4'\n"
            "  06-02-05_01.mp4      labels: {'05': fearful, ...}\n"
            "or\n"
            "clips/\n"
            "  aver-corpus.csv      file,speaker,emotion,...\n"
            "  any/names.mp4"
        ),
        example="06-02-05_01.mp4, with a pattern or a table that describes them",
    )

    def read(self, root: Path) -> Corpus:
        """Read the clips that the pattern or the table describes."""
        folder = root.parent if root.is_file() else root
        layout = self._layout(root, folder)
        if layout.pattern and layout.table:
            raise SettingsError(
                f"Both a pattern ({layout.pattern!r}) and a table ({layout.table!r}) describe "
                f"{root}. Give one of them."
            )
        if layout.table:
            clips, problems = _read_table(folder, layout)
        elif layout.pattern:
            clips, problems = _read_names(folder, layout)
        else:
            raise SettingsError(
                f"Nothing says how to read {root}. Give a pattern such as "
                "'{speaker}_{emotion}.mp4', a table, or a config."
            )
        info = replace(
            self.info,
            title=layout.title,
            licence=layout.licence,
            citation=layout.citation,
            url=layout.url,
            example=layout.pattern or self.info.example,
        )
        return replace(self.collect(folder, clips, problems), info=info)

    def _layout(self, root: Path, folder: Path) -> Layout:
        """The description file, where there is one, overlaid with this reader's settings."""
        layout = Layout()
        if self.config:
            layout = read_layout(Path(self.config).expanduser())
        elif root.is_file():
            layout = _described_by(root)
        elif not (self.pattern or self.table):
            present = [folder / name for name in MANIFEST_NAMES if (folder / name).is_file()]
            layout = _described_by(present[0]) if present else layout
        given: dict[str, str | dict[str, str]] = {
            name: parse_codes(name, getattr(self, name))
            for name in ("labels", "sexes", "intensities")
            if getattr(self, name)
        }
        if self.pattern:
            given |= {"pattern": self.pattern, "table": ""}
        if self.table:
            given |= {"table": self.table, "pattern": self.pattern}
        return replace(layout, **given)  # type: ignore[arg-type]


def _described_by(path: Path) -> Layout:
    return Layout(table=path.name) if path.suffix.lower() == ".csv" else read_layout(path)


def _read_names(root: Path, layout: Layout) -> tuple[list[Clip], list[Problem]]:
    """Clips from file names."""
    pattern = NamePattern(layout.pattern)
    found = find_media(root, VIDEO_SUFFIXES | SOUND_SUFFIXES | IMAGE_SUFFIXES)
    problems = list(found.problems)
    alike: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for path in found.files:
        where = path.relative_to(root).as_posix()
        facts = pattern.match(where)
        if facts is None:
            problems.append(Problem(where, f"The name does not fit the pattern {pattern.text!r}."))
        else:
            alike.setdefault(tuple(facts.items()), []).append(path)
    clips: list[Clip] = []
    for facts_as_key, paths in alike.items():
        facts = dict(facts_as_key)
        pictures = [path for path in paths if not _is_sound(path)]
        sounds = [path for path in paths if _is_sound(path)]
        if len(pictures) == len(sounds) == 1:
            clips.append(layout.clip(facts, _id(pictures[0], root), pictures[0], sounds[0]))
        else:
            clips += [
                layout.clip(facts, _id(path, root), *_picture_and_sound(path)) for path in paths
            ]
    return clips, problems


def _read_table(root: Path, layout: Layout) -> tuple[list[Clip], list[Problem]]:
    """Clips from the rows of a CSV file."""
    table = read_table(root / layout.table)
    if not set(table.columns) & set(_FILES):
        raise CorpusError(
            f"The table {table.path} has the columns {', '.join(table.columns) or '(none)'}. It "
            f"needs 'file', or 'video' and 'sound', and may have clip_id, {', '.join(FIELDS)}."
        )
    clips: list[Clip] = []
    problems: list[Problem] = []
    for number, row in table.rows:
        where = f"{table.path.name}, line {number}"
        paths = {kind: root / row[kind] for kind in _FILES if row.get(kind)}
        if not paths:
            problems.append(Problem(where, "The row names no file."))
            continue
        faults = [(path, media_fault(path)) for path in paths.values()]
        fault = next(((path, fault) for path, fault in faults if fault), None)
        if fault is not None:
            problems.append(Problem(f"{where} ({fault[0].name})", fault[1] or ""))
            continue
        video, sound = (
            _picture_and_sound(paths["file"])
            if "file" in paths
            else (paths.get("video"), paths.get("sound"))
        )
        clip_id = row.get("clip_id") or _id(next(iter(paths.values())), root)
        try:
            clips.append(layout.clip(row, clip_id, video, sound))
        except AverError as error:
            raise type(error)(f"{table.path}, line {number}: {error}") from None
    return clips, problems


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in SOUND_SUFFIXES


def _picture_and_sound(path: Path) -> tuple[Path | None, Path | None]:
    """Where pictures and sound of a single file come from."""
    suffix = path.suffix.lower()
    video = None if suffix in SOUND_SUFFIXES else path
    return video, None if suffix in IMAGE_SUFFIXES else path


def _id(path: Path, root: Path) -> str:
    """The path below the folder without its suffix; the bare name for files elsewhere."""
    place = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    return place.with_suffix("").as_posix()
