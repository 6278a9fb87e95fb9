"""The reader for any folder of clips, described by a file-name pattern or a CSV table."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

import yaml

from aver.corpora.clip import INTENSITIES, Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    find_media,
    media_fault,
    read_table,
)
from aver.corpora.name_pattern import FIELDS, NamePattern
from aver.corpora.own_labels import (
    DROP,
    KEEP,
    OTHERS,
    Codes,
    Labels,
    dropped_reason,
    label_of,
    own_words,
    parse_codes,
    parse_labels,
)
from aver.emotions import EMOTIONS, in_canonical_order, is_shared
from aver.errors import AverError, CorpusError, LabelError, SettingsError
from aver.execution.documents import parse_json, parse_yaml, read_document
from aver.execution.files import composed, find_spelled
from aver.settings import settings, settings_from_mapping

SHIPPED = Path(__file__).parent / "layouts"
"""Layouts that come with the package."""

_SEXES = {"female": "female", "f": "female", "male": "male", "m": "male"}
_CODES = ("labels", "sexes", "intensities")
_SHORTEST_WORD = 3  # beside labels, shorter ones are codes that the user has forgotten


@settings
class Layout:
    """How to read one folder: a pattern or a table, and the meaning of codes.

    Parameters
    ----------
    title, license, citation, url : str
        For model cards and reports.
    pattern : str
        File names with placeholders, see `aver.corpora.name_pattern.NamePattern`.
    table : str
        Name of a CSV file in the folder, instead of a pattern.
    labels : mapping of str to str
        From codes for emotions to words: shared emotions, classes of your own, or ``drop``. Codes
        that are not among them must be words of three or more letters. ``*`` stands for all codes
        that nothing else declares: ``*=keep`` makes each of them a class of its own.
    further_emotions : tuple of str or str
        Labels that your clips have besides `aver.emotions.EMOTIONS`, such as ``boredom``. Words
        of `labels` need not be repeated here. Clips with any other word for an emotion are listed
        as problems and left out.
    drop : tuple of str or str
        Emotions, as codes or words, whose clips are left out and counted. In `labels`, the word
        ``drop`` does the same for a code.
    sexes : mapping of str to str
        From speakers' ids or codes for sexes to ``female`` or ``male``.
    intensities : mapping of str to str
        From codes for intensities to words of `aver.corpora.clip.INTENSITIES`.
    """

    title: str = "Own clips"
    license: str = "as stated by their owner"
    citation: str = "none given"
    url: str = ""
    pattern: str = ""
    table: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    further_emotions: Labels = ()
    drop: Labels = ()
    sexes: Mapping[str, str] = field(default_factory=dict)
    intensities: Mapping[str, str] = field(default_factory=dict)

    def own_emotions(self) -> tuple[str, ...]:
        """Labels besides the shared ones: declared, or words of `labels` that are not shared."""
        declared = parse_labels(self.further_emotions)
        return tuple(dict.fromkeys((*declared, *own_words(tuple(self.labels.values())))))

    def dropped(self, facts: Mapping[str, str]) -> str | None:
        """The emotion for which the clip is left out by rule; None if it is kept."""
        code = facts.get("emotion", "")
        if not code or self._label(code) != DROP:
            return None
        word = self.labels.get(code, code)
        return code if label_of(word) == DROP else word

    def unknown(self, facts: Mapping[str, str]) -> str | None:
        """Why the emotion of a clip is none that this layout knows, and what to do; else None."""
        code = facts.get("emotion", "")
        if not code or self._label(code) is not None:
            return None
        keep, drop = (shlex.quote(f"{code}={word}") for word in (KEEP, DROP))
        if self.labels:
            word = shlex.quote(f"{code}=WORD")
            return (
                f"The emotion code {code!r} is not among the labels. State what it means "
                f"(--labels {word}), or leave it out (--labels {drop})."
            )
        return (
            f"The emotion {code!r} is none of the shared ones. Keep it as a class (--labels "
            f"{keep}), or leave it out (--labels {drop})."
        )

    def _label(self, code: str) -> str | None:
        """The label that a code stands for, or ``drop``; None if nothing declares the code."""
        dropped = parse_labels(self.drop)
        if code.lower() in dropped:
            return DROP
        codes = {known: word for known, word in self.labels.items() if known != OTHERS}
        is_long = len(code) >= _SHORTEST_WORD
        word = codes.get(code, "")
        if not word and is_long:  # case matters for short codes only
            word = next((codes[known] for known in codes if known.lower() == code.lower()), "")
        if not word and (
            code.lower() in self.own_emotions() or (is_shared(code) and (is_long or not codes))
        ):
            word = code
        word = word or self.labels.get(OTHERS, "")
        label = label_of(code if label_of(word) == KEEP else word)
        return DROP if label in map(label_of, dropped) else label or None

    def make_clip(
        self, facts: Mapping[str, str], clip_id: str, video: Path | None, audio: Path | None
    ) -> Clip:
        """Make a `Clip` of the codes of one file or row.

        Raises
        ------
        LabelError
            If a code is unknown; the message names the clip.
        """
        speaker = facts.get("speaker") or None
        return Clip(
            clip_id=clip_id,
            speaker=speaker,
            emotion=self._emotion(facts.get("emotion", ""), clip_id),
            video=video,
            audio=audio,
            performance=facts.get("performance", ""),
            sex=self._sex(facts.get("sex", ""), speaker, clip_id),
            intensity=_one_of(
                INTENSITIES, "intensity", facts.get("intensity", ""), self.intensities, clip_id
            ),
            sentence=facts.get("sentence") or None,
            take=facts.get("take") or None,
            channel=_one_of(("speech", "song"), "channel", facts.get("channel", ""), {}, clip_id)
            or "speech",
            subset=_one_of(
                ("train", "validation", "test"), "subset", facts.get("subset", ""), {}, clip_id
            ),
        )

    def _emotion(self, code: str, where: str) -> str | None:
        unknown = self.unknown({"emotion": code})
        if unknown is not None:
            raise LabelError(f"{where}: {unknown}")
        return self._label(code) if code else None

    def _sex(self, code: str, speaker: str | None, where: str) -> str | None:
        word = self.sexes.get(code, code) if code else self.sexes.get(speaker or "", "")
        if not word:
            return None
        if word.lower() not in _SEXES:
            raise LabelError(f"Unknown sex {word!r} for {where}. Write 'female' or 'male'.")
        return _SEXES[word.lower()]


def _one_of(
    words: tuple[str, ...], what: str, code: str, names: Mapping[str, str], where: str
) -> str | None:
    word = names.get(code, code)
    if not word:
        return None
    if word not in words:
        raise LabelError(f"Unknown {what} {word!r} in {where}. Use one of: {', '.join(words)}.")
    return word


def read_layout(path: Path) -> Layout:
    """Read a layout from a YAML or JSON file.

    Parameters
    ----------
    path : Path
        A file, or the name of a layout that comes with the package (``javanese-av``).

    Raises
    ------
    CorpusError
        If there is no such file, or it cannot be read as YAML or JSON.
    SettingsError
        If it has an unknown key or a value of the wrong type.
    """
    if not path.exists() and (SHIPPED / f"{path}.yaml").is_file():
        path = SHIPPED / f"{path}.yaml"
    try:
        text = composed(read_document(path))
        # Keep every scalar as text: YAML would turn the code 01 into the number 1.
        values: Any = (
            parse_json(text)
            if path.suffix.lower() == ".json"
            else parse_yaml(text, yaml.BaseLoader)
        )
    except OSError as error:
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.yaml")))
        raise CorpusError(
            f"The description of a corpus {path} cannot be read: {error.strerror}. Give a YAML or "
            f"JSON file, or one of: {shipped}."
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CorpusError(f"{path} is not valid YAML or JSON: {reason}.") from error
    spelled = "licence"  # codespell:ignore
    if isinstance(values, dict) and spelled in values:
        values["license"] = values.pop(spelled)
    try:
        layout: Layout = settings_from_mapping(Layout, values)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None
    return layout


_FILES = ("file", "video", "audio")


@settings
class Manifest(CorpusReader):
    """Reads any folder, described by a pattern, a CSV table or a small YAML or JSON file.

    These settings take precedence over the description file; codes there that they do not name
    remain. Without any of them the folder must contain ``aver-corpus.yaml``, ``.json`` or
    ``.csv``. The path of the corpus may also be that of the CSV or description file; media are then
    looked for in its folder.

    Parameters
    ----------
    pattern : str
        For instance ``"{speaker}-{sentence}-{emotion}_{take}.mp4"``, see
        `aver.corpora.name_pattern.NamePattern`. A video (or image) file and an audio file
        with equal fields are one clip if each is the only one of its kind.
    labels, sexes, intensities : mapping of str to str, or str
        Meaning of codes, see `Layout`; as text ``"01=neutral,02=sad"``.
    further_emotions : tuple of str or str
        Labels besides the eight shared ones, see `Layout`; as text ``"boredom,contempt"``.
    drop : tuple of str or str
        Emotions whose clips are left out, see `Layout`; as text ``"boredom,contempt"``.
    config : str
        Path of a description file, or the name of one that comes with the package
        (``javanese-av``).
    table : str
        Name of a CSV file in the folder with a column ``file`` (or ``video`` and ``audio``), and
        any of ``clip_id``, ``speaker``, ``emotion``, ``sentence``, ``take``, ``intensity``,
        ``sex``, ``channel``, ``performance``, ``subset``.

    Raises
    ------
    SettingsError
        If nothing describes the folder, or a description is wrong.
    """

    pattern: str = ""
    labels: Codes = field(default_factory=dict)
    further_emotions: Labels = ()
    drop: Labels = ()
    sexes: Codes = field(default_factory=dict)
    intensities: Codes = field(default_factory=dict)
    config: str = ""
    table: str = ""

    name = "manifest"
    marker_files = ("aver-corpus.yaml", "aver-corpus.yml", "aver-corpus.json", "aver-corpus.csv")
    info = CorpusInfo(
        title="Own clips",
        license="as stated by their owner",
        citation="none; give it in the description file",
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
        general=True,
    )

    def read(self, root: Path) -> Corpus:
        """Read the clips described by the pattern or the table."""
        folder = root.parent if root.is_file() else root
        layout = self._layout(root, folder)
        if layout.pattern and layout.table:
            raise SettingsError(
                f"Both a pattern ({layout.pattern!r}) and a table ({layout.table!r}) describe "
                f"{root}. Give one of them."
            )
        if layout.table:
            clips, problems, left_out = _read_table(folder, layout)
        elif layout.pattern:
            clips, problems, left_out = _read_names(folder, layout)
        else:
            raise SettingsError(
                f"There is no description of {root}. Give a pattern such as "
                "'{speaker}_{emotion}.mp4', a table, or a config."
            )
        info = replace(
            self.info,
            title=layout.title,
            license=layout.license,
            citation=layout.citation,
            url=layout.url,
            example=layout.pattern or self.info.example,
            further_emotions=in_canonical_order(
                {*layout.own_emotions(), *(clip.emotion for clip in clips if clip.emotion)}
                - {*EMOTIONS}
            ),
        )
        return self.collect(folder, clips, problems, left_out=left_out, info=info)

    def _layout(self, root: Path, folder: Path) -> Layout:
        """The description file, if there is one, with the settings of this reader."""
        layout = Layout()
        if self.config:
            layout = read_layout(Path(self.config).expanduser())
        elif root.is_file():
            layout = _described_by(root)
        elif not (self.pattern or self.table):
            present = [folder / name for name in self.marker_files if (folder / name).is_file()]
            layout = _described_by(present[0]) if present else layout
        given: dict[str, Labels | dict[str, str]] = {
            name: {**getattr(layout, name), **parse_codes(name, getattr(self, name))}
            for name in _CODES
            if getattr(self, name)
        }
        if self.further_emotions:
            given["further_emotions"] = self.further_emotions
        if self.drop:
            given["drop"] = (*parse_labels(layout.drop), *parse_labels(self.drop))
        if self.pattern:
            given |= {"pattern": self.pattern, "table": ""}
        if self.table:
            given |= {"table": self.table, "pattern": self.pattern}
        return replace(layout, **given)  # type: ignore[arg-type]


def _described_by(path: Path) -> Layout:
    return Layout(table=path.name) if path.suffix.lower() == ".csv" else read_layout(path)


_Read = tuple[list[Clip], list[Problem], dict[str, int]]  # with the clips left out, by reason


def _read_names(root: Path, layout: Layout) -> _Read:
    """Clips from file names."""
    pattern = NamePattern(layout.pattern, tuple(code for code in layout.labels if code != OTHERS))
    found = find_media(root, VIDEO_SUFFIXES | AUDIO_SUFFIXES | IMAGE_SUFFIXES)
    problems = list(found.problems)
    alike: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for path in found.files:
        where = path.relative_to(root).as_posix()
        facts = pattern.match(where)
        if facts is None:
            problems.append(
                Problem(where, f"The name does not match the pattern {pattern.text!r}.")
            )
        else:
            alike.setdefault(tuple(facts.items()), []).append(path)
    clips: list[Clip] = []
    left_out: Counter[str] = Counter()
    for facts_as_key, paths in alike.items():
        facts = dict(facts_as_key)
        dropped, unknown = layout.dropped(facts), layout.unknown(facts)
        visual = [path for path in paths if path.suffix.lower() not in AUDIO_SUFFIXES]
        audio = [path for path in paths if path.suffix.lower() in AUDIO_SUFFIXES]
        pair = len(visual) == len(audio) == 1
        if dropped is not None:
            left_out[dropped_reason(dropped)] += 1 if pair else len(paths)
        elif unknown is not None:
            problems += [Problem(path.relative_to(root).as_posix(), unknown) for path in paths]
        elif pair:
            clips.append(layout.make_clip(facts, _id(visual[0], root), visual[0], audio[0]))
        else:
            clips += [
                layout.make_clip(facts, _id(path, root), *_video_and_audio(path)) for path in paths
            ]
    return clips, problems, left_out


def _read_table(root: Path, layout: Layout) -> _Read:
    """Clips from the rows of a CSV file."""
    table = read_table(root / layout.table)
    if not set(table.columns) & set(_FILES):
        raise CorpusError(
            f"The table {table.path} has the columns {', '.join(table.columns) or '(none)'}. It "
            f"needs 'file', or 'video' and 'audio', and may have clip_id, {', '.join(FIELDS)}."
        )
    rows = [(f"{table.path.name}, line {number}", row) for number, row in table.rows]
    return clips_of_rows(root, rows, layout)


def clips_of_rows(
    root: Path, rows: Iterable[tuple[str, Mapping[str, str]]], layout: Layout
) -> _Read:
    """Clips from rows of facts.

    Parameters
    ----------
    root : Path
        Relative paths of the rows start here.
    rows : iterable of (str, mapping of str to str)
        The place of a row, for messages, and its facts: ``file`` (or ``video`` and ``audio``) and
        any of the columns of `Manifest.table`.
    layout : Layout
        What the codes mean.

    Returns
    -------
    list of Clip
    list of Problem
        Rows that cannot be used.
    dict of str to int
        Numbers of clips that are left out by rule, by the reason.

    Raises
    ------
    LabelError
        If a code is unknown; the message names the row.
    """
    clips: list[Clip] = []
    problems: list[Problem] = []
    left_out: Counter[str] = Counter()
    for where, row in rows:
        dropped = layout.dropped(row)
        if dropped is not None:
            left_out[dropped_reason(dropped)] += 1
            continue
        unknown = layout.unknown(row)
        if unknown is not None:
            problems.append(Problem(where, unknown))
            continue
        paths = {kind: _place(root, row[kind]) for kind in _FILES if row.get(kind)}
        if not paths:
            problems.append(Problem(where, "The row names no file."))
            continue
        faults = [(path, media_fault(path)) for path in paths.values()]
        fault = next(((path, fault) for path, fault in faults if fault), None)
        if fault is not None:
            problems.append(Problem(f"{where} ({fault[0].name})", fault[1] or ""))
            continue
        video, audio = (
            _video_and_audio(paths["file"])
            if "file" in paths
            else (paths.get("video"), paths.get("audio"))
        )
        clip_id = row.get("clip_id") or _id(next(iter(paths.values())), root)
        try:
            clips.append(layout.make_clip(row, clip_id, video, audio))
        except AverError as error:
            raise type(error)(f"{where}: {error}") from None
    return clips, problems, left_out


def _place(root: Path, name: str) -> Path:
    """The path that a table names; backslashes of Windows separate folders if no such file is."""
    path = root / name
    if "\\" in name and not path.exists():
        path = root / name.replace("\\", "/")
    return find_spelled(path)


def _video_and_audio(path: Path) -> tuple[Path | None, Path | None]:
    """The file as the source of video (or image) and of audio."""
    suffix = path.suffix.lower()
    return None if suffix in AUDIO_SUFFIXES else path, None if suffix in IMAGE_SUFFIXES else path


def _id(path: Path, root: Path) -> str:
    """The path below the folder without its suffix; the name alone for files elsewhere."""
    place = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    return place.with_suffix("").as_posix()
