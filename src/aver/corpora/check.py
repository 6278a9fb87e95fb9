"""`check_corpus`: contents of a copy of a corpus, missing clips, duplicates and faulty files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Problem, reader_of
from aver.corpora.files import read_file
from aver.corpora.other_files import other_files
from aver.emotions import in_canonical_order
from aver.errors import MediaError


@dataclass(frozen=True)
class CorpusCheck:
    """What a copy of a corpus contains, and what is wrong with it.

    Parameters
    ----------
    corpus : Corpus
    by_class, by_speaker, by_sex, by_channel, by_subset : dict of str to int
        Number of clips; classes in canonical order, the others sorted. Clips for which it is
        unknown count under ``"unknown"``.
    with_video, with_audio : int
        Number of clips with a video or image file, with an audio file.
    missing : tuple of str
        Clips of the complete corpus that this copy lacks, if the reader knows them.
    doubled : tuple of tuple of str
        Groups of clips whose files hold the same bytes.
    contradicting : tuple of tuple of str
        The groups of `doubled` whose emotions differ.
    problems : tuple of Problem
        Files and rows that could not be used.
    left_out : mapping of str to int
        Number of clips that the annotation of the corpus gives no emotion, by the reason.
    others : mapping of str to int
        Number of files that are no media by their suffixes, such as tables, by suffix.
    """

    corpus: Corpus
    by_class: dict[str, int]
    by_speaker: dict[str, int]
    by_sex: dict[str, int]
    by_channel: dict[str, int]
    by_subset: dict[str, int]
    with_video: int
    with_audio: int
    missing: tuple[str, ...]
    doubled: tuple[tuple[str, ...], ...]
    contradicting: tuple[tuple[str, ...], ...]
    problems: tuple[Problem, ...]
    left_out: Mapping[str, int]
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing, doubled or wrong."""
        return not (self.missing or self.doubled or self.problems)


def check_corpus(root: str | Path, name: str | None = None, **settings: object) -> CorpusCheck:
    """Read a corpus folder and check it.

    Parameters
    ----------
    root, name, **settings
        As for `aver.corpora.open_corpus`.

    Returns
    -------
    CorpusCheck
        Files of equal size are compared byte by byte; none is decoded.

    Raises
    ------
    CorpusError, LabelError, SettingsError
        As for `aver.corpora.open_corpus`.
    """
    root = Path(root).expanduser()
    reader = reader_of(root, name, **settings)
    corpus = reader.read(root)
    doubled = _doubled(corpus)
    return CorpusCheck(
        corpus=corpus,
        by_class=_count(corpus, "emotion", in_canonical_order),
        by_speaker=_count(corpus, "speaker"),
        by_sex=_count(corpus, "sex"),
        by_channel=_count(corpus, "channel"),
        by_subset=_count(corpus, "subset"),
        with_video=sum(clip.video is not None for clip in corpus),
        with_audio=sum(clip.audio is not None for clip in corpus),
        missing=reader.missing(corpus),
        doubled=doubled,
        contradicting=tuple(
            group
            for group in doubled
            if len({corpus.by_id[clip_id].emotion for clip_id in group}) > 1
        ),
        problems=corpus.problems,
        left_out=corpus.left_out,
        others=other_files(corpus),
    )


def _count(
    corpus: Corpus, fact: str, order: Callable[[Iterable[str]], Iterable[str]] = sorted
) -> dict[str, int]:
    counts = Counter(getattr(clip, fact) or "unknown" for clip in corpus)
    keys = order(set(counts) - {"unknown"})
    return {key: counts[key] for key in (*keys, "unknown") if counts[key]}


def _doubled(corpus: Corpus) -> tuple[tuple[str, ...], ...]:
    """Groups of clip ids with files of equal content, sorted."""
    by_size: dict[int, list[tuple[Clip, Path]]] = {}
    for clip, path in _files(corpus):
        try:
            size = path.stat().st_size if path.exists() else -1  # -1: inside an archive
        except OSError:
            size = -1
        by_size.setdefault(size, []).append((clip, path))
    by_content: dict[bytes, set[str]] = {}
    for alike in by_size.values():
        for clip, path in alike if len(alike) > 1 else ():
            try:
                content = hashlib.blake2b(read_file(path), digest_size=16).digest()
            except MediaError:
                continue  # reported when the clip is opened
            by_content.setdefault(content, set()).add(clip.clip_id)
    return tuple(sorted(tuple(sorted(ids)) for ids in by_content.values() if len(ids) > 1))


def _files(corpus: Corpus) -> Iterator[tuple[Clip, Path]]:
    for clip in corpus:
        for path in {clip.video, clip.audio} - {None}:
            if path is not None:
                yield clip, path
