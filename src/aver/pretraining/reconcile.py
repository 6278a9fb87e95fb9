"""`reconcile`: bring the labels of two corpora together, saying all that is merged or left out."""

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
        Emotions that were given another's name.
    dropped : mapping of str to int
        Emotions left out, and how many clips bore them.
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
    """Merge and drop emotions until both corpora have the same.

    Nothing is left out silently: an emotion that one corpus lacks must be merged or dropped by
    name.

    Parameters
    ----------
    faces, voices : sequence of Clip
    merge : mapping of str to str, optional
        Emotion to the one it counts as, for instance ``{"calm": "neutral"}``.
    drop : sequence of str
        Emotions to leave out.

    Raises
    ------
    LabelError
        If a clip has no emotion, the corpora still differ, a name is no emotion, one is merged and
        dropped or merged with one that is itself merged, or fewer than two classes are left.

    Examples
    --------
    >>> face, voice = Clip("f", None, "happy"), Clip("v", "a", "calm")
    >>> reconcile([face, Clip("g", None, "neutral")], [voice, Clip("w", "a", "happy")],
    ...           merge={"calm": "neutral"}).classes
    ('neutral', 'happy')
    """
    merge = dict(merge or {})
    _check_words(merge, drop)
    for clip in (*faces, *voices):
        if clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} has no emotion, so that nothing can be paired with it."
            )
    dropped: dict[str, int] = {}
    parts = []
    for clips in (faces, voices):
        kept = []
        for clip in clips:
            emotion = merge.get(str(clip.emotion), str(clip.emotion))
            if emotion in drop:
                dropped[emotion] = dropped.get(emotion, 0) + 1
            else:
                kept.append(replace(clip, emotion=emotion))
        parts.append(tuple(kept))
    sets = [{str(clip.emotion) for clip in part} for part in parts]
    lonely = in_canonical_order(sets[0] ^ sets[1])
    if lonely:
        raise LabelError(
            f"Only one of the two corpora has {', '.join(lonely)}. Merge it with another emotion "
            "(--merge calm=neutral) or leave it out (--drop disgust)."
        )
    if len(sets[0]) < 2:
        raise LabelError(f"{len(sets[0])} classes are left; a recogniser needs at least two.")
    return Reconciled(parts[0], parts[1], in_canonical_order(sets[0]), merge, dropped)


def check_named(
    clips: Sequence[Clip], merge: Mapping[str, str] | None = None, drop: Sequence[str] = ()
) -> None:
    """Check that what is to be merged or dropped is there: else a run would bear a false name.

    Parameters
    ----------
    clips : sequence of Clip
        Of both corpora.
    merge, drop
        As `reconcile` takes them.

    Raises
    ------
    LabelError
        If no clip has an emotion that is to be merged, or, after merging, one to be dropped.
    """
    merge = dict(merge or {})
    present = {str(clip.emotion) for clip in clips}
    after = {merge.get(word, word) for word in present}
    for option, words, known in (("merge", merge, present), ("drop", drop, after)):
        for word in words:
            if word not in known:
                raise LabelError(
                    f"No clip of the two corpora is {word!r}, which --{option} names. They have: "
                    f"{', '.join(in_canonical_order(known & set(EMOTIONS)))}."
                )


def _check_words(merge: Mapping[str, str], drop: Sequence[str]) -> None:
    for name in (*merge, *merge.values(), *drop):
        if name not in EMOTIONS:
            raise LabelError(f"There is no emotion {name!r}. Known are: {', '.join(EMOTIONS)}.")
    for name, other in merge.items():
        if name in drop:
            raise LabelError(f"{name!r} is to be merged with {other!r} and dropped. Ask for one.")
        if other != name and merge.get(other, other) != other:
            raise LabelError(
                f"{name!r} is to be merged with {other!r}, which is merged with {merge[other]!r}. "
                f"Merge both with {merge[other]!r}."
            )
