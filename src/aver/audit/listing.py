"""`Listing`: a split in any form, as the audit sees it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from aver.audit.names import NAMED_BY, Entry, describe_name
from aver.corpora.clip import Clip
from aver.corpora.combine import name_in_part, part_of
from aver.corpora.corpus import Corpus
from aver.corpora.name_pattern import NamePattern
from aver.execution.files import composed
from aver.splits.split import Split


@dataclass(frozen=True)
class Listing:
    """Folds, each with its subsets of clips, and what is known about every clip.

    Parameters
    ----------
    source : str
        The file or folder, for messages.
    form : str
        In which form it was read.
    folds : tuple of mapping
        From subset to names, each in the order of the list; a name may wrongly occur twice.
    entries : mapping of str to Entry
        By name.
    declared : tuple of str
        Leaks that the split declares (`Split.leaks`).
    unknown : tuple of str
        Names that are not in the corpus, if there is one.
    unassigned : tuple of str
        Clips whose word for their subset is unknown, with that word; they are in no fold.
    files : tuple of str
        The files and folders that were read; may be empty.
    """

    source: str
    form: str
    folds: tuple[Mapping[str, tuple[str, ...]], ...]
    entries: Mapping[str, Entry]
    declared: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unassigned: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def listing_of(split: Split, corpus: Corpus | None = None, source: str = "") -> Listing:
    """Make a listing from a `Split`.

    Parameters
    ----------
    split : Split
    corpus : Corpus, optional
        Gives the speakers; without it they are read from names of the kinds that
        `aver.audit.names` knows.
    source : str
        File of the split, for messages; default the rule.
    """
    folds = tuple(fold.subsets() for fold in split.folds)
    names = (name for fold in folds for clips in fold.values() for name in clips)
    entries, unknown = describe_clips(((name, "", {}) for name in names), corpus)
    return Listing(
        source=source or split.rule,
        form="split of aver",
        folds=folds,
        entries=entries,
        declared=split.leaks,
        unknown=unknown,
        files=(source,) if source else (),
    )


def describe_clips(
    clips: Iterable[tuple[str, str, Mapping[str, str]]],
    corpus: Corpus | None,
    pattern: NamePattern | None = None,
) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """Describe clips by the corpus if it has them, otherwise by their names and fields.

    Parameters
    ----------
    clips : iterable of (name, path, fields)
        As in the list; the path may be empty.
    corpus : Corpus, optional
    pattern : NamePattern, optional

    Returns
    -------
    dict of str to Entry
    tuple of str
        Names that are not in the corpus, sorted; empty without a corpus.
    """
    by_name = clips_by_name(corpus)
    entries: dict[str, Entry] = {}
    unknown: list[str] = []
    for name, path, fields in clips:
        if name in entries:
            continue
        clip = find_clip(by_name, name, path)
        if clip is not None:
            entries[name] = _entry_of_clip(name, clip, path, corpus)
            continue
        entries[name] = describe_name(name, fields, pattern, path)
        if corpus is not None:
            unknown.append(name)
    return unify_speakers(entries), tuple(sorted(unknown))


def clips_by_name(corpus: Corpus | None) -> dict[str, Clip]:
    """Clips by id and by every alias; an id takes precedence over an equal alias."""
    if corpus is None:
        return {}
    aliases = {alias: clip for clip in corpus for alias in clip.aliases}
    return {**aliases, **corpus.by_id}


def find_clip(clips: Mapping[str, Clip], name: str, path: str = "") -> Clip | None:
    """The clip with this name, or with the name of this file; None if there is none.

    Parameters
    ----------
    clips : mapping
        From `clips_by_name`.
    name, path : str
        As in the list.
    """
    stem = PurePosixPath(path or name).stem
    return clips.get(composed(name)) or clips.get(composed(stem))


def _entry_of_clip(name: str, clip: Clip, path: str, corpus: Corpus | None) -> Entry:
    part, performance = "", clip.performance
    if corpus and corpus.parts:  # the name of a corpus is no folder, even if it is "test"
        part, performance = part_of(performance), name_in_part(performance)
    by_name = describe_name(performance)
    is_public = by_name.speaker is not None  # a name of a public corpus, the same in any copy
    return Entry(
        name=name,
        recording=f"{part}/{by_name.recording}" if part and not is_public else by_name.recording,
        derived=by_name.derived,
        speaker=clip.speaker,
        sentence=clip.sentence,
        emotion=clip.emotion,
        sex=clip.sex,
        path=path or name,
    )


def unify_speakers(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Give every speaker one name, whatever the source of the name.

    The corpus or a column may name a speaker ``12`` and the file names ``ravdess:12``. If some
    files of a speaker have both names, files that have only the second name get the first. Names
    that differ only in case and leading zeros (``1``, ``01`` and ``1.0``, as spreadsheets write
    them) are one.
    """
    spellings = _spellings(entry.speaker for entry in entries.values() if entry.speaker)
    unified = {
        name: replace(entry, speaker=spellings.get(entry.speaker or "", entry.speaker))
        for name, entry in entries.items()
    }
    speakers = {entry.speaker for entry in unified.values() if entry.speaker}
    if len({speaker.startswith(NAMED_BY) for speaker in speakers}) < 2:
        return unified  # all from file names, or none
    by_file_name = {
        name: describe_name(name, path=entry.path).speaker for name, entry in unified.items()
    }
    others: dict[str, set[str]] = defaultdict(set)
    for name, entry in unified.items():
        speaker = by_file_name[name]
        if speaker is not None and entry.speaker is not None and entry.speaker != speaker:
            others[speaker].add(entry.speaker)
    renamed = {speaker: names.pop() for speaker, names in others.items() if len(names) == 1}
    return {
        name: replace(entry, speaker=renamed.get(entry.speaker or "", entry.speaker))
        if entry.speaker == by_file_name[name]
        else entry
        for name, entry in unified.items()
    }


_NUMBER = re.compile(r"0*(\d+?)(?:\.0+)?")


def _spellings(speakers: Iterable[str]) -> dict[str, str]:
    """From every spelling of a name that has several to the one to use."""
    groups: dict[str, set[str]] = defaultdict(set)
    for speaker in set(speakers):
        number = _NUMBER.fullmatch(speaker)
        groups[number[1] if number else speaker.casefold()].add(speaker)
    return {other: min(names) for names in groups.values() if len(names) > 1 for other in names}
