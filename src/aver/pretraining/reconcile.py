"""`reconcile`: merges and drops emotions until two corpora have the same classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aver.corpora.clip import Clip
from aver.emotions import EMOTIONS, in_canonical_order
from aver.errors import LabelError


@dataclass(frozen=True)
class Reconciled:
    """Clips of two corpora with one set of labels.

    Parameters
    ----------
    faces, voices : tuple of Clip
    classes : tuple of str
    merged : mapping of str to str
        Emotion to the one it counts as.
    dropped : mapping of str to int
        Emotion left out to its number of clips.
    """

    faces: tuple[Clip, ...]
    voices: tuple[Clip, ...]
    classes: tuple[str, ...]
    merged: Mapping[str, str]
    dropped: Mapping[str, int]


def reconcile(
    faces: Sequence[Clip],
    voices: Sequence[Clip],
    *,
    merge: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
) -> Reconciled:
    """Merge and drop emotions until both corpora have the same ones.

    No emotion is left out silently: one that a corpus lacks must be merged or dropped by name.

    Parameters
    ----------
    faces, voices : sequence of Clip
    merge : mapping of str to str, optional
        Emotion to the one it counts as, for example ``{"calm": "neutral"}``.
    drop : sequence of str
        Emotions to leave out.

    Raises
    ------
    LabelError
        If a clip has no emotion, the corpora still differ, an emotion is both merged and dropped or
        is merged with one that is itself merged, or fewer than two classes are left.

    Examples
    --------
    >>> face, voice = Clip("f", None, "happy"), Clip("v", "a", "calm")
    >>> reconcile([face, Clip("g", None, "neutral")], [voice, Clip("w", "a", "happy")],
    ...           merge={"calm": "neutral"}).classes
    ('neutral', 'happy')
    """
    merge = dict(merge or {})
    _check_merge(merge, drop)
    for clip in (*faces, *voices):
        if clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} has no emotion, so it cannot be paired by class."
            )
    dropped: dict[str, int] = {}
    corpora = []
    for clips in (faces, voices):
        kept = []
        for clip in clips:
            emotion = merge.get(str(clip.emotion), str(clip.emotion))
            if emotion in drop:
                dropped[emotion] = dropped.get(emotion, 0) + 1
            else:
                kept.append(replace(clip, emotion=emotion))
        corpora.append(tuple(kept))
    sets = [{str(clip.emotion) for clip in clips} for clips in corpora]
    unshared = in_canonical_order(sets[0] ^ sets[1])
    if unshared:
        raise LabelError(
            f"Only one of the two corpora has {', '.join(unshared)}. Merge it with another emotion "
            "(--merge calm=neutral) or leave it out (--drop disgust)."
        )
    if len(sets[0]) < 2:
        raise LabelError(f"{len(sets[0])} classes are left; a recognizer needs at least two.")
    return Reconciled(corpora[0], corpora[1], in_canonical_order(sets[0]), merge, dropped)


def check_named(
    clips: Sequence[Clip], merge: Mapping[str, str] | None = None, drop: Sequence[str] = ()
) -> None:
    """Check that every emotion to merge or drop occurs, and that merging makes no new word.

    Parameters
    ----------
    clips : sequence of Clip
        Of both corpora.
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
                    f"No clip of the two corpora is {name!r}, which --{option} names. They have: "
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
