"""`Listing`: anybody's split, as the audit sees it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from aver.audit.names import NAMED_BY, Entry, describe_name
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.splits.split import SUBSETS, Split

_NUMBER = re.compile(r"0*(\d+?)(?:\.0+)?")


@dataclass(frozen=True)
class Listing:
    """Folds of subsets of clips.

    Parameters
    ----------
    source : str
        The file or folder, for messages.
    form : str
        How it was read, in words.
    folds : tuple of mapping
        From subset to names, each in the order of the list; a name may wrongly occur twice.
    entries : mapping of str to Entry
        By name.
    declared : tuple of str
        Sentences by which the split itself says what it shares (`Split.leaks`).
    unknown : tuple of str
        Names that the corpus lacks, where there is one.
    untold : tuple of str
        Clips in no subset because the list's word for their subset is unknown, with the word.
    files : tuple of str
        The files and folders that were read; empty where there were none.
    """

    source: str
    form: str
    folds: tuple[Mapping[str, tuple[str, ...]], ...]
    entries: Mapping[str, Entry]
    declared: tuple[str, ...] = ()
    unknown: tuple[str, ...] = field(default=())
    untold: tuple[str, ...] = field(default=())
    files: tuple[str, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self.entries))

    def count(self, subset: str) -> int:
        """How often a clip is listed for a subset, over all folds."""
        return sum(len(fold.get(subset, ())) for fold in self.folds)


def listing_of(split: Split, corpus: Corpus | None = None, source: str = "") -> Listing:
    """See one of our own splits as a listing.

    Parameters
    ----------
    split : Split
    corpus : Corpus, optional
        Knows the speakers; without it they are read from the names, where those are of a kind
        that `aver.audit.names` knows.
    source : str
        File of the split, for messages; default the rule.
    """
    folds = tuple(fold.subsets() for fold in split.folds)
    entries, unknown = describe_names(_all_names(folds), corpus)
    files = (source,) if source else ()
    name = source or split.rule
    return Listing(name, "split of aver", folds, entries, split.leaks, unknown, files=files)


def describe_names(
    names: Iterable[str], corpus: Corpus | None
) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """Entries from a corpus where it has the clip, else from the name alone.

    Returns
    -------
    dict of str to Entry
    tuple of str
        Names that the corpus lacks; empty without a corpus.
    """
    clips = clips_by_name(corpus)
    entries: dict[str, Entry] = {}
    unknown: list[str] = []
    for name in names:
        if name in entries:
            continue
        clip = find_clip(clips, name)
        if clip is None:
            entries[name] = describe_name(name)
            if corpus is not None:
                unknown.append(name)
        else:
            entries[name] = entry_of_clip(name, clip)
    return with_one_name_each(entries), tuple(sorted(unknown))


def with_one_name_each(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Entries in which a speaker has one name, whoever told it.

    A corpus or a column may call ``12`` whom the files' names call ``ravdess:12``. Where files of
    one speaker have both names, those that have the second only get the first. Names that differ
    in nothing but large letters and leading zeros (``1``, ``01`` and ``1.0``, as spreadsheets write
    them) are one.
    """
    spelt = _spellings(entry.speaker for entry in entries.values() if entry.speaker)
    if spelt:
        entries = {
            name: replace(entry, speaker=spelt.get(entry.speaker or "", entry.speaker))
            for name, entry in entries.items()
        }
    speakers = {entry.speaker for entry in entries.values() if entry.speaker}
    if len({speaker.startswith(NAMED_BY) for speaker in speakers}) < 2:
        return dict(entries)  # all told by names, or none
    others: dict[str, set[str]] = defaultdict(set)
    by_name = {
        name: describe_name(name, path=entry.path).speaker for name, entry in entries.items()
    }
    for name, entry in entries.items():
        told = by_name[name]
        if told is not None and entry.speaker is not None and entry.speaker != told:
            others[told].add(entry.speaker)
    renamed = {told: names.pop() for told, names in others.items() if len(names) == 1}
    return {
        name: replace(entry, speaker=renamed.get(entry.speaker or "", entry.speaker))
        if entry.speaker == by_name[name]
        else entry
        for name, entry in entries.items()
    }


def _spellings(speakers: Iterable[str]) -> dict[str, str]:
    """The one spelling for each that is another of the same name."""
    groups: dict[str, set[str]] = defaultdict(set)
    for speaker in set(speakers):
        number = _NUMBER.fullmatch(speaker)
        groups[number[1] if number else speaker.casefold()].add(speaker)
    return {
        other: min(names) for names in groups.values() if len(names) > 1 for other in sorted(names)
    }


def clips_by_name(corpus: Corpus | None) -> dict[str, Clip]:
    """Clips by id and by every alias; ids win."""
    if corpus is None:
        return {}
    aliases = {alias: clip for clip in corpus for alias in clip.aliases}
    return {**aliases, **corpus.by_id}


def find_clip(clips: Mapping[str, Clip], name: str, path: str = "") -> Clip | None:
    """The clip that a list means: by its name, else by the name of its file.

    Parameters
    ----------
    clips : mapping
        As `clips_by_name` gives it.
    name, path : str
        As the list has them.
    """
    return clips.get(name) or clips.get(PurePosixPath(path or name).stem)


def entry_of_clip(name: str, clip: Clip, path: str = "") -> Entry:
    """What a corpus knows about a clip that a list calls `name`."""
    by_name = describe_name(clip.performance)
    return Entry(
        name=name,
        recording=by_name.recording,
        derived=by_name.derived,
        speaker=clip.speaker,
        sentence=clip.sentence,
        emotion=clip.emotion,
        sex=clip.sex,
        path=path or name,
    )


def _all_names(folds: Iterable[Mapping[str, tuple[str, ...]]]) -> Iterable[str]:
    for fold in folds:
        for subset in SUBSETS:
            yield from fold.get(subset, ())
