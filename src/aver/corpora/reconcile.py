"""`reconcile`: merges and drops emotions until several corpora have the same classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from aver.corpora.clip import Clip
from aver.emotions import EMOTIONS, in_canonical_order
from aver.errors import LabelError

Unshared = Literal["refuse", "leave out", "keep"]
"""What happens to an emotion that not every corpus has."""

_UNLABELED = "unlabeled"


@dataclass(frozen=True)
class Reconciled:
    """Clips of several corpora with one set of labels.

    Parameters
    ----------
    clips : mapping of str to tuple of Clip
        By the name of the corpus.
    classes : tuple of str
        Each corpus has all of them.
    merged : mapping of str to str
        Emotion to the one it counts as.
    dropped : mapping of str to int
        Emotion left out by name to its number of clips.
    left_out : mapping of str to mapping of str to int
        By corpus, the emotions that another corpus lacks, with their numbers of clips;
        ``"unlabeled"`` counts clips without an emotion.
    """

    clips: Mapping[str, tuple[Clip, ...]]
    classes: tuple[str, ...]
    merged: Mapping[str, str]
    dropped: Mapping[str, int]
    left_out: Mapping[str, Mapping[str, int]]

    def __str__(self) -> str:
        """One line: the classes, what was merged, and what was left out."""
        parts = [f"Emotions: {', '.join(self.classes)}"]
        parts += [f"{name} counts as {other}" for name, other in self.merged.items()]
        if self.dropped:
            parts.append(f"dropped: {_counts(self.dropped)}")
        unshared = [f"{corpus} {_counts(n)}" for corpus, n in self.left_out.items() if n]
        if unshared:
            parts.append(f"left out, since not every corpus has them: {', '.join(unshared)}")
        return f"{'; '.join(parts)}."


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count} clips)" for name, count in counts.items())


def reconcile(
    corpora: Mapping[str, Sequence[Clip]],
    *,
    merge: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    unshared: Unshared = "refuse",
) -> Reconciled:
    """Merge and drop emotions until all corpora have the same ones.

    Parameters
    ----------
    corpora : mapping of str to sequence of Clip
        By a name for messages.
    merge : mapping of str to str, optional
        Emotion to the one it counts as, for example ``{"calm": "neutral"}``.
    drop : sequence of str
        Emotions to leave out.
    unshared : {"refuse", "leave out", "keep"}
        An emotion that a corpus lacks after merging is an error, or its clips are left out and
        counted, or they are kept. The same holds for clips without an emotion.

    Raises
    ------
    LabelError
        If an emotion is both merged and dropped or is merged with one that is itself merged, or
        fewer than two classes are left. If unshared emotions are refused: if the corpora still
        differ, or a clip has no emotion.

    Examples
    --------
    >>> faces = [Clip("f", None, "happy"), Clip("g", None, "neutral")]
    >>> voices = [Clip("v", "a", "calm"), Clip("w", "a", "happy"), Clip("x", "a", "sad")]
    >>> print(reconcile({"faces": faces, "voices": voices}, merge={"calm": "neutral"},
    ...                 unshared="leave out"))
    Emotions: neutral, happy; calm counts as neutral; left out, since not every corpus \
has them: voices sad (1 clips).
    """
    merge = dict(merge or {})
    _check_merge(merge, drop)
    merged = {name: relabel(clips, merge) for name, clips in corpora.items()}
    dropped = Counter(c.emotion for clips in merged.values() for c in clips if c.emotion in drop)
    kept = {name: relabel(clips, drop=drop) for name, clips in merged.items()}
    sets = {name: {c.emotion for c in clips if c.emotion} for name, clips in kept.items()}
    every = set.union(*sets.values())
    shared = in_canonical_order(every if unshared == "keep" else set.intersection(*sets.values()))
    if unshared == "refuse":
        _refuse_unshared(
            kept, {emotion for found in sets.values() for emotion in found} - {*shared}
        )
    if len(shared) < 2:
        has = "; ".join(
            f"{name} has {', '.join(in_canonical_order(found)) or 'no emotion'}"
            for name, found in sets.items()
        )
        raise LabelError(
            f"The corpora have {len(shared)} emotions in common, and a recognizer needs at least "
            f"two: {has}. Merge emotions (--merge calm=neutral), or use other corpora."
        )
    chosen: tuple[str | None, ...] = (*shared, None) if unshared == "keep" else shared
    return Reconciled(
        {name: tuple(c for c in clips if c.emotion in chosen) for name, clips in kept.items()},
        shared,
        merge,
        {emotion: dropped[emotion] for emotion in in_canonical_order(map(str, dropped))},
        {name: _left_out(clips, chosen) for name, clips in kept.items()},
    )


def _left_out(clips: Sequence[Clip], chosen: Sequence[str | None]) -> dict[str, int]:
    counts = Counter(clip.emotion for clip in clips if clip.emotion not in chosen)
    emotions = in_canonical_order(name for name in counts if name is not None)
    unlabeled = {_UNLABELED: counts[None]} if counts[None] else {}
    return {**{name: counts[name] for name in emotions}, **unlabeled}


def _refuse_unshared(corpora: Mapping[str, Sequence[Clip]], unshared: set[str]) -> None:
    for clips in corpora.values():
        for clip in clips:
            if clip.emotion is None:
                raise LabelError(
                    f"Clip {clip.clip_id} has no emotion, so it cannot be paired by class."
                )
    if unshared:
        raise LabelError(
            f"Not every corpus has {', '.join(in_canonical_order(unshared))}. Merge it with "
            "another emotion (--merge calm=neutral) or leave it out (--drop disgust)."
        )


def relabel(
    clips: Sequence[Clip], merge: Mapping[str, str] | None = None, drop: Sequence[str] = ()
) -> tuple[Clip, ...]:
    """The clips with merged emotions, without those of dropped ones.

    Examples
    --------
    >>> clips = [Clip("a", None, "calm"), Clip("b", None, "sad")]
    >>> [clip.emotion for clip in relabel(clips, {"calm": "neutral"}, ["sad"])]
    ['neutral']
    """
    merge = merge or {}
    merged = (
        replace(c, emotion=merge.get(c.emotion, c.emotion)) if c.emotion else c for c in clips
    )
    return tuple(clip for clip in merged if clip.emotion not in drop)


def check_named(
    clips: Sequence[Clip], merge: Mapping[str, str] | None = None, drop: Sequence[str] = ()
) -> None:
    """Check that every emotion to merge or drop occurs, and that merging makes no new word.

    Parameters
    ----------
    clips : sequence of Clip
        Of all corpora.
    merge, drop
        As for `reconcile`.

    Raises
    ------
    LabelError
        If no clip has an emotion to merge or, after merging, one to drop; or if an emotion is
        merged with a word that is neither in `aver.emotions.EMOTIONS` nor an emotion of a clip.
    """
    merge = dict(merge or {})
    present = {clip.emotion for clip in clips if clip.emotion is not None}
    known = in_canonical_order({*EMOTIONS, *present})
    for name in merge.values():
        if name not in known:
            raise LabelError(f"There is no emotion {name!r}. Known are: {', '.join(known)}.")
    after = {merge.get(name, name) for name in present}
    for option, names, emotions in (("merge", merge, present), ("drop", drop, after)):
        for name in names:
            if name not in emotions:
                raise LabelError(
                    f"No clip of the corpora is {name!r}, which --{option} names. They have: "
                    f"{', '.join(in_canonical_order(emotions))}."
                )


def _check_merge(merge: Mapping[str, str], drop: Sequence[str]) -> None:
    for name, other in merge.items():
        if name in drop:
            raise LabelError(f"{name!r} is to be merged with {other!r} and dropped. Choose one.")
        if other != name and merge.get(other, other) != other:
            raise LabelError(
                f"{name!r} is to be merged with {other!r}, which is merged with {merge[other]!r}. "
                f"Merge both with {merge[other]!r}."
            )
