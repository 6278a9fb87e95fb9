"""`Corpus` and `open_corpus`: read the clips of a corpus folder, without opening any media."""

from __future__ import annotations

import re
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from filecmp import cmp
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from aver.corpora.clip import Clip
from aver.corpora.own_labels import Codes, Labels, own_words, parse_codes, parse_labels, relabeled
from aver.emotions import EMOTIONS, in_canonical_order, parse_emotion
from aver.errors import CorpusError, LabelError, SplitError
from aver.execution.files import is_zip, printable, walk_files
from aver.registry import Registry
from aver.settings import settings, settings_from_mapping

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CorpusInfo:
    """License, citation and folder layout of a corpus."""

    title: str
    license: str
    citation: str
    url: str
    tree: str
    """The folder layout that the reader expects, one file or folder per line."""
    example: str
    """One path of that layout, for messages."""
    general: bool = False
    """Whether the reader reads corpora of any name, so that the folder names the corpus."""
    further_emotions: tuple[str, ...] = ()
    """Labels besides `aver.emotions.EMOTIONS`. Any other label in the corpus is an error."""


@dataclass(frozen=True)
class Problem:
    """A file or row that the reader skipped, and the reason."""

    path: str
    reason: str

    def __post_init__(self) -> None:
        for name in ("path", "reason"):
            object.__setattr__(self, name, printable(getattr(self, name)))


_CLIP_COLUMNS = (
    *("speaker", "sex", "emotion", "intensity", "sentence", "take", "channel", "performance"),
    "subset",
)


@dataclass(frozen=True, repr=False)
class Corpus:
    """Clips of one corpus, in a stable order.

    Parameters
    ----------
    name : str
        Registered name of the reader, for instance ``"ravdess"``.
    root : Path
        The folder that was read.
    clips : tuple of Clip
        Sorted by `clip_id`.
    problems : tuple of Problem
        The files and rows that were skipped.
    info : CorpusInfo or None
        License and citation, for model cards.
    left_out : mapping of str to int
        Number of clips that the annotation of the corpus gives no emotion, by the reason ("the
        raters do not agree"). They are not among the clips, and no fault of this copy.
    parts : mapping of str to Corpus
        The corpora that this one joins, by name, as they were before; empty for a single corpus.
        See `aver.corpora.combine.combine`.
    notes : tuple of str
        Sentences on how clips and labels were chosen, for reports.
    """

    name: str
    root: Path
    clips: tuple[Clip, ...]
    problems: tuple[Problem, ...] = field(default=())
    info: CorpusInfo | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Corpus] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[Clip]:
        return iter(self.clips)

    def to_frame(self) -> pd.DataFrame:
        """One row per clip, in order.

        Returns
        -------
        pd.DataFrame
            ``clip``, ``speaker``, ``sex``, ``emotion``, ``intensity``, ``sentence``, ``take``,
            ``channel``, ``performance``, ``subset``, ``video`` and ``audio`` (paths as text);
            missing values where a clip has none.
        """
        import pandas as pd

        rows = []
        for clip in self.clips:
            row = {name: getattr(clip, name) for name in _CLIP_COLUMNS}
            files = {
                name: None if path is None else str(path)
                for name, path in (("video", clip.video), ("audio", clip.audio))
            }
            rows.append({"clip": clip.clip_id, **row, **files})
        return pd.DataFrame(rows, columns=["clip", *_CLIP_COLUMNS, "video", "audio"])

    def __repr__(self) -> str:
        return (
            f"<Corpus {self.label!r}: {len(self)} clips, {len(self.speakers)} speakers, "
            f"{', '.join(self.classes) or 'no labels'}; {len(self.problems)} problems>"
        )

    @property
    def label(self) -> str:
        """Name for tables: that of the corpus, or of the folder if the reader is a general one."""
        return self.root.resolve().name if self.info and self.info.general else self.name

    @cached_property
    def by_id(self) -> dict[str, Clip]:
        """Clip ids to clips."""
        return {clip.clip_id: clip for clip in self.clips}

    @property
    def speakers(self) -> tuple[str, ...]:
        """Distinct speakers, sorted."""
        return tuple(sorted({clip.speaker for clip in self.clips if clip.speaker is not None}))

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotions that occur, in canonical order."""
        return in_canonical_order(clip.emotion for clip in self.clips if clip.emotion)

    def select(self, clip_ids: Sequence[str]) -> list[Clip]:
        """The clips with these ids, in the order of the ids.

        Raises
        ------
        SplitError
            If an id is not in the corpus.
        """
        for clip_id in clip_ids:
            if clip_id not in self.by_id:
                raise SplitError(f"Clip {clip_id!r} is not in the corpus at {self.root}.")
        return [self.by_id[clip_id] for clip_id in clip_ids]

    def where(self, keep: Callable[[Clip], bool], why: str) -> Corpus:
        """A smaller corpus of the clips for which `keep` is true.

        Raises
        ------
        CorpusError
            If none is left; `why` is the reason, for the message.
        """
        clips = tuple(clip for clip in self.clips if keep(clip))
        if not clips:
            raise CorpusError(f"No clip of the corpus at {self.root} is left: {why}.")
        return replace(self, clips=clips)


class CorpusReader(ABC):
    """Reads the folder of one corpus.

    A reader is a class decorated with `aver.settings.settings` and `corpora.register`; its fields
    are its settings, all with defaults.
    """

    name: ClassVar[str]
    info: ClassVar[CorpusInfo]
    path_pattern: ClassVar[str] = ""
    """Regular expression that finds paths of this corpus, relative to its folder, to guess it."""
    marker_files: ClassVar[tuple[str, ...]] = ()
    """Files of which one in the folder identifies this corpus."""

    @abstractmethod
    def read(self, root: Path) -> Corpus:
        """Find the clips below `root` without opening any media.

        Raises
        ------
        CorpusError
            If the folder is missing or contains no clip.
        LabelError
            If a file's emotion code is unknown; the message names the file.
        """

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Clips of the complete corpus that this copy lacks; empty if the reader cannot know."""
        return ()

    def collect(
        self,
        root: Path,
        clips: Iterable[Clip],
        problems: Iterable[Problem],
        *,
        left_out: Mapping[str, int] | None = None,
        info: CorpusInfo | None = None,
    ) -> Corpus:
        """Make the corpus: sort the clips, and check that there are some, their ids and labels.

        Parameters
        ----------
        root, clips, problems, left_out
            See `Corpus`.
        info : CorpusInfo, optional
            By default that of the reader.

        Raises
        ------
        CorpusError
            If there is no clip, or two clips have the same id.
        LabelError
            If a clip has an emotion that the corpus does not declare.
        """
        info = info or self.info
        sorted_clips = tuple(sorted(clips, key=lambda clip: clip.clip_id))
        faults = tuple(problems)
        if not sorted_clips:
            skipped = (
                f" Problems: {len(faults)}, the first with {faults[0].path}: {faults[0].reason}"
                if faults
                else ""
            )
            raise CorpusError(
                f"No clip was found at {root}.{skipped} The reader expects files like "
                f"{info.example} ('aver corpus info {self.name}' shows the tree)."
            )
        kept = [sorted_clips[0]]
        for following in sorted_clips[1:]:
            one = kept[-1]
            if one.clip_id != following.clip_id:
                kept.append(following)
            elif _same_files(one, following):
                place = following.video or following.audio
                first = one.video or one.audio
                faults += (Problem(str(place), f"A second copy of {first}, which is used."),)
            else:
                raise CorpusError(
                    f"Two clips at {root} have the id {one.clip_id!r}: {one.video or one.audio} "
                    f"and {following.video or following.audio}. Rename or remove one of them."
                )
        sorted_clips = tuple(kept)
        for clip in sorted_clips:
            if clip.emotion not in (None, *EMOTIONS, *info.further_emotions):
                raise LabelError(
                    f"Clip {clip.clip_id} has the emotion {clip.emotion!r}, which the reader "
                    f"{self.name!r} does not declare. Add it to CorpusInfo.further_emotions."
                )
        return Corpus(self.name, root, sorted_clips, faults, info, dict(left_out or {}))


def _same_files(one: Clip, other: Clip) -> bool:
    """Whether label, names and content of the files are the same, as in a doubled folder."""

    def same(a: Path | None, b: Path | None) -> bool:
        if a == b or a is None or b is None:
            return a == b
        return a.name == b.name and a.is_file() and b.is_file() and cmp(a, b, shallow=False)

    return (
        one.emotion == other.emotion
        and same(one.video, other.video)
        and same(one.audio, other.audio)
    )


corpora: Registry[CorpusReader] = Registry(
    "corpus",
    {
        "affectnet": "aver.corpora.affectnet:AffectNet",
        "ased": "aver.corpora.ased:Ased",
        "ckplus": "aver.corpora.ckplus:CKPlus",
        "cremad": "aver.corpora.cremad:CremaD",
        "emodb": "aver.corpora.emodb:EmoDB",
        "emovo": "aver.corpora.emovo:Emovo",
        "enterface": "aver.corpora.enterface:Enterface",
        "esd": "aver.corpora.esd:ESD",
        "expw": "aver.corpora.expw:ExpW",
        "fer2013": "aver.corpora.fer2013:Fer2013",
        "iemocap": "aver.corpora.iemocap:Iemocap",
        "jaffe": "aver.corpora.jaffe:Jaffe",
        "jl-corpus": "aver.corpora.jl_corpus:JLCorpus",
        "manifest": "aver.corpora.manifest:Manifest",
        "meld": "aver.corpora.meld:Meld",
        "nemo": "aver.corpora.nemo:Nemo",
        "rafdb": "aver.corpora.rafdb:RafDB",
        "ravdess": "aver.corpora.ravdess:Ravdess",
        "savee": "aver.corpora.savee:Savee",
        "sfew": "aver.corpora.sfew:Sfew",
        "speaker-folders": "aver.corpora.speaker_folders:SpeakerFolders",
        "synthetic": "aver.corpora.synthetic:Synthetic",
        "tess": "aver.corpora.tess:Tess",
        "urdu": "aver.corpora.urdu:Urdu",
    },
    "aver.corpora",
)
"""All readers. ``@corpora.register("name")`` adds one; `aver list` prints them."""


@settings
class _Relabeling(CorpusReader):
    """A reader without labels by rule of its own, with those of the user.

    Parameters
    ----------
    reader : CorpusReader
    labels, drop
        As text or as a mapping or list, see `aver.corpora.own_labels.relabeled`.
    """

    reader: CorpusReader
    labels: Codes = field(default_factory=dict)
    drop: Labels = ()

    def read(self, root: Path) -> Corpus:
        """Read the corpus, and give its clips the labels of the user."""
        corpus = self.reader.read(root)
        labels = parse_codes("labels", self.labels)
        clips, left_out = relabeled(corpus.clips, labels, parse_labels(self.drop))
        if not clips:
            raise CorpusError(f"No clip of the corpus at {root} is left: the labels drop all.")
        info = corpus.info or self.reader.info
        declared = (*info.further_emotions, *own_words(tuple(labels.values())))
        return replace(
            corpus,
            clips=clips,
            info=replace(info, further_emotions=tuple(dict.fromkeys(declared))),
            left_out={**corpus.left_out, **left_out},
        )

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Clips that this copy lacks; unknown, since clips were left out by rule."""
        return ()


def reader_of(root: Path, name: str | None = None, **settings: object) -> CorpusReader:
    """The reader of a corpus folder, with its settings.

    Parameters
    ----------
    root : Path
    name : str, optional
        Registered reader; by default it is guessed from the file names.
    **settings
        Settings of that reader. Every reader has ``labels``, from emotions to other labels or
        ``drop``, and ``drop``, emotions to leave out.

    Raises
    ------
    CorpusError
        If the folder is missing or empty, or no reader recognizes it.
    SettingsError
        If there is no such reader, or it has no such setting.
    """
    if not root.exists():
        raise CorpusError(f"There is no corpus at {root}: the path does not exist.")
    if root.is_file() and is_zip(root):
        raise CorpusError(f"{root} is a zip archive. Unpack it, and give the folder.")
    chosen = name or guess_reader(root)
    kind = corpora.get(chosen)
    by_rule = {key: value for key, value in settings.items() if key in ("labels", "drop")}
    if not by_rule or "labels" in {own.name for own in fields(kind)}:  # type: ignore[arg-type]
        reader: CorpusReader = settings_from_mapping(kind, settings, chosen)
        return reader
    others = {key: value for key, value in settings.items() if key not in by_rule}
    inner = settings_from_mapping(kind, others, chosen)
    made: CorpusReader = settings_from_mapping(_Relabeling, {"reader": inner, **by_rule}, chosen)
    return made


def open_corpus(root: str | Path, name: str | None = None, **settings: object) -> Corpus:
    """Read a corpus folder.

    Parameters
    ----------
    root : str or Path
        Folder (or archive) of the corpus.
    name : str, optional
        Registered reader; by default it is guessed from the file names.
    **settings
        Settings of that reader. Every reader has ``labels``, from codes or emotions to other
        labels or ``drop``, and ``drop``, emotions to leave out.

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If the folder is missing or empty, or no reader recognizes it.
    LabelError
        If a file's emotion code is unknown.
    SettingsError
        If there is no such reader, or it has no such setting.
    """
    root = Path(root).expanduser()
    return reader_of(root, name, **settings).read(root)


_MAX_NAMES = 5000  # enough to reach the media among the tables, and fast on a network drive


def guess_reader(root: Path) -> str:
    """Guess the reader of a folder, a tar archive or a manifest file from the file names.

    Parameters
    ----------
    root : Path
        Existing folder or file.

    Returns
    -------
    str
        A registered name.

    Raises
    ------
    CorpusError
        If no reader recognizes the names; the message says how to choose one.
    """
    if root.is_file() and root.suffix.lower() in (".csv", ".yaml", ".yml", ".json"):
        with root.open("rb") as handle:  # FER2013 as published is one table of pixels
            return "fer2013" if b"pixels" in handle.readline(1000) else "manifest"
    # General readers come last.
    readers = sorted(corpora.usable().values(), key=lambda reader: reader.info.general)
    for reader in readers:
        if any((root / name).is_file() for name in reader.marker_files):
            return reader.name
    names = list(islice(_names(root), _MAX_NAMES))
    counts = {
        reader.name: sum(bool(re.search(reader.path_pattern, name)) for name in names)
        for reader in readers
        if reader.path_pattern
    }
    best = max(counts, key=lambda name: counts[name])
    if counts[best]:
        return best
    if not names:
        raise CorpusError(f"The corpus at {root} is empty: there is no file in it.")
    raise CorpusError(
        f"No reader recognizes the file names at {root} (for instance {min(names)!r}). Choose one "
        "with --reader, or describe the names for the 'manifest' reader, for instance "
        "--reader manifest --corpus-settings 'pattern={speaker}_{emotion}.mp4'."
    )


def _names(root: Path) -> Iterator[str]:
    """Relative paths of the files in a folder or an archive, with forward slashes."""
    if root.is_file():
        if not tarfile.is_tarfile(root):
            raise CorpusError(f"{root} is a file but neither a manifest nor a tar archive.")
        with tarfile.open(root) as archive:
            yield from (member.name for member in archive if member.isfile())
        return
    yield from (path.relative_to(root).as_posix() for path in walk_files(root))


@dataclass(frozen=True)
class Selection:
    """Which clips of a corpus to keep. An empty field keeps all.

    Parameters
    ----------
    emotions : tuple of str
        Classes to keep, for instance the six of Mansouri-Benssassi & Ye (2019, 2020):
        ``("happy", "sad", "angry", "fearful", "disgust", "surprised")``. Clips without a label
        are dropped if classes are given.
    speakers : tuple of str
        Speakers to keep.
    channel : {"", "speech", "song"}
        Vocal channel to keep.
    """

    emotions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    channel: str = ""

    def apply(self, corpus: Corpus) -> Corpus:
        """The smaller corpus.

        Raises
        ------
        LabelError
            If an emotion is unknown, or not in the corpus.
        CorpusError
            If a speaker is not in the corpus, or no clip is left.
        """
        emotions = {
            parse_emotion(word, "the selected emotions", corpus.classes) for word in self.emotions
        }
        absent = sorted(emotions.difference(corpus.classes))
        if absent:
            raise LabelError(
                f"The corpus at {corpus.root} has no clip that is {absent[0]!r}. Its classes are: "
                f"{', '.join(corpus.classes) or 'no labels'}."
            )
        unknown = sorted(set(self.speakers).difference(corpus.speakers))
        if unknown:
            raise CorpusError(
                f"The corpus at {corpus.root} has no speaker {unknown[0]!r}. Its speakers are: "
                f"{', '.join(corpus.speakers) or 'none'}."
            )
        return corpus.where(
            lambda clip: (
                (not emotions or clip.emotion in emotions)
                and (not self.speakers or clip.speaker in self.speakers)
                and (not self.channel or clip.channel == self.channel)
            ),
            f"selected were {self}",
        )
