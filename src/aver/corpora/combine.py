"""`combine`: several corpora as one, with speakers and clips kept apart."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, Problem
from aver.corpora.reconcile import Unshared, check_named, reconcile
from aver.emotions import in_canonical_order
from aver.errors import CorpusError

_NAME = re.compile(r"[\w.-]+")
_SEPARATOR = "/"


def combine(
    corpora: Mapping[str, Corpus] | Sequence[Corpus | tuple[str, Corpus]],
    *,
    merge: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    unshared: Unshared = "leave out",
) -> Corpus:
    """Join corpora of different speakers into one corpus with the emotions that all of them have.

    Clip ids, speakers, performances and sentences get the name of their corpus in front
    (``ravdess/03-01-05-01-01-01-12``, speaker ``ravdess/12``), so that speaker 01 of one corpus is
    not speaker 01 of another. Any split rule works on the result; ``cross-corpus``,
    ``leave-one-corpus-out`` and ``train-on-one-corpus`` train and test on different corpora.

    Parameters
    ----------
    corpora : mapping of str to Corpus, or sequence of Corpus or (name, Corpus)
        At least two. Names consist of letters, digits, ``_``, ``.`` and ``-``; one that is not
        given is `Corpus.label`.
    merge : mapping of str to str, optional
        Emotion to the one it counts as in every corpus, for example ``{"calm": "neutral"}``.
    drop : sequence of str
        Emotions to leave out.
    unshared : {"leave out", "refuse", "keep"}
        What happens to emotions that a corpus lacks, and to clips without an emotion.

    Returns
    -------
    Corpus
        `Corpus.parts` are the corpora as given, `Corpus.notes` states the classes, and what was
        merged or left out.

    Raises
    ------
    CorpusError
        If there are fewer than two corpora, one is given twice, two have the same name, or a name
        has other signs.
    LabelError
        If the corpora have fewer than two emotions in common, no clip has an emotion to merge or
        drop, or emotions differ and `unshared` refuses that.

    Examples
    --------
    >>> one, two = (
    ...     Corpus(name, Path(name), tuple(Clip(e, "01", e) for e in ("happy", "sad", *more)))
    ...     for name, more in (("ravdess", ["calm"]), ("nemo", []))
    ... )
    >>> joined = combine([one, two])
    >>> joined.name, joined.speakers
    ('ravdess + nemo', ('nemo/01', 'ravdess/01'))
    >>> joined.notes[0]
    'Emotions: happy, sad; left out, since not every corpus has them: ravdess calm \
(1 clips).'
    """
    parts = _named(corpora)
    _check_apart(parts)
    check_named([clip for part in parts.values() for clip in part], merge, drop)
    labels = reconcile(parts, merge=merge, drop=drop, unshared=unshared)  # type: ignore[arg-type]
    clips = [_clip_of(name, clip) for name, found in labels.clips.items() for clip in found]
    return Corpus(
        name=" + ".join(parts),
        root=_common_folder([part.root for part in parts.values()]),
        clips=tuple(sorted(clips, key=lambda clip: clip.clip_id)),
        problems=tuple(
            Problem(f"{name}{_SEPARATOR}{problem.path}", problem.reason)
            for name, part in parts.items()
            for problem in part.problems
        ),
        info=_info_of(parts),
        left_out={
            f"{name}: {reason}": count
            for name, part in parts.items()
            for reason, count in part.left_out.items()
        },
        parts=parts,
        notes=(str(labels),),
    )


def part_of(name: str) -> str:
    """The corpus that a clip id or a speaker of a joined corpus comes from.

    Examples
    --------
    >>> part_of("ravdess/12")
    'ravdess'
    """
    return name.partition(_SEPARATOR)[0]


def name_in_part(name: str) -> str:
    """The clip id or speaker of a joined corpus as its own corpus names it.

    Examples
    --------
    >>> name_in_part("ravdess/12")
    '12'
    """
    return name.partition(_SEPARATOR)[2]


def _named(
    corpora: Mapping[str, Corpus] | Sequence[Corpus | tuple[str, Corpus]],
) -> dict[str, Corpus]:
    given = corpora.items() if isinstance(corpora, Mapping) else corpora
    named = [  # a folder, and so a label, may have any name
        (re.sub(r"[^\w.-]+", "-", one.label), one) if isinstance(one, Corpus) else one
        for one in given
    ]
    if len(named) < 2:
        raise CorpusError(
            f"Joining needs at least two corpora, not {len(named)}. Name another one, for training "
            "or for testing."
        )
    parts: dict[str, Corpus] = {}
    for name, corpus in named:
        if not _NAME.fullmatch(name):
            raise CorpusError(
                f"A corpus cannot be named {name!r}. Use letters, digits, '_', '.' and '-'."
            )
        if name in parts and parts[name].root.resolve() != corpus.root.resolve():
            raise CorpusError(
                f"The corpora at {parts[name].root} and {corpus.root} are both named {name!r}. "
                f"Give one another name, for example name={name}-2."
            )
        if name in parts:
            raise _given_twice(corpus.root)
        parts[name] = corpus
    return parts


def _check_apart(parts: Mapping[str, Corpus]) -> None:
    """Refuse a clip file that two corpora have, as when one folder is given under two names."""
    owners: dict[Path, str] = {}
    for name, corpus in parts.items():
        for clip in corpus:
            for path in {clip.video, clip.audio} - {None}:
                owner = owners.setdefault(Path(str(path)).absolute(), name)
                if owner != name:
                    raise _given_twice(corpus.root)


def _given_twice(root: Path) -> CorpusError:
    return CorpusError(
        f"The corpus at {root} is given twice. A corpus is either for training or for testing: "
        "name each one once."
    )


def _clip_of(name: str, clip: Clip) -> Clip:
    def prefixed(text: str) -> str:
        return f"{name}{_SEPARATOR}{text}"

    return replace(
        clip,
        clip_id=prefixed(clip.clip_id),
        speaker=None if clip.speaker is None else prefixed(clip.speaker),
        performance=prefixed(clip.performance),
        sentence=None if clip.sentence is None else prefixed(clip.sentence),
        aliases=tuple(map(prefixed, clip.aliases)),
    )


def _common_folder(roots: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([root.absolute() for root in roots]))


def _info_of(parts: Mapping[str, Corpus]) -> CorpusInfo:
    """Titles, licenses and citations of all corpora, each with its name."""
    infos = {name: part.info for name, part in parts.items() if part.info}

    def listed(attribute: str) -> str:
        stated = [f"{name}: {getattr(info, attribute)}" for name, info in infos.items()]
        return "; ".join(stated) or "not stated"

    return CorpusInfo(
        title="; ".join(infos[name].title if name in infos else name for name in parts),
        license=listed("license"),
        citation=listed("citation"),
        url="",
        tree="",
        example="",
        further_emotions=in_canonical_order(e for i in infos.values() for e in i.further_emotions),
    )
