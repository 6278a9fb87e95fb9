"""Labels by rule: which words of a corpus count as which emotion, and which are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from aver.corpora.clip import Clip
from aver.emotions import in_canonical_order, is_shared, parse_emotion
from aver.errors import LabelError, SettingsError
from aver.execution.files import composed

DROP = "drop"
"""The word for a code or an emotion whose clips are left out."""

KEEP = "keep"
"""The word for a code or an emotion that is a label itself."""

OTHERS = "*"
"""Stands for all codes and emotions that nothing else names, as in ``*=drop`` or ``*=keep``."""

Labels = tuple[str, ...] | str
"""Labels as a list or as text ``"boredom,contempt"``."""

Codes = Mapping[str | int, str] | str
"""Codes and their meaning, as a mapping or as text ``"01=neutral,02=sad"``."""


def parse_codes(setting: str, text: Codes) -> dict[str, str]:
    """Read codes and words from ``"01=neutral,02=sad"`` or a mapping.

    Raises
    ------
    SettingsError
        If a part has no equals sign, or nothing on one side of it.

    Examples
    --------
    >>> parse_codes("labels", "01=neutral, 02=sad")
    {'01': 'neutral', '02': 'sad'}
    """
    if not isinstance(text, str):
        return {composed(str(code)): composed(str(word)) for code, word in text.items()}
    codes: dict[str, str] = {}
    for piece in filter(None, (piece.strip() for piece in composed(text).split(","))):
        code, equals, word = (part.strip() for part in piece.partition("="))
        if not (code and equals and word):
            raise SettingsError(f"{setting} has {piece!r}. Write codes as '01=neutral,02=sad'.")
        codes[code] = word
    return codes


def parse_labels(text: Labels) -> tuple[str, ...]:
    """Labels in lower case, from a list or from text.

    Examples
    --------
    >>> parse_labels("Boredom, contempt")
    ('boredom', 'contempt')
    """
    words = text.split(",") if isinstance(text, str) else text
    return tuple(composed(word).strip().lower() for word in words if word.strip())


def own_words(words: Sequence[str]) -> tuple[str, ...]:
    """The words that are classes of the user's own: neither shared emotions nor rules.

    Examples
    --------
    >>> own_words(["Boredom", "fear", "drop"])
    ('boredom',)
    """
    found = (word for word in parse_labels(tuple(words)) if not is_shared(word))
    return tuple(dict.fromkeys(word for word in found if word not in (DROP, KEEP)))


def label_of(word: str) -> str:
    """The label that a user's word means: a shared emotion for its synonyms, else the word itself.

    Examples
    --------
    >>> label_of("Fear"), label_of("Boredom")
    ('fearful', 'boredom')
    """
    label = composed(word).strip().lower()
    return parse_emotion(label, "the labels") if is_shared(label) else label


def dropped_reason(emotion: str) -> str:
    """The reason under which clips of a dropped emotion are counted."""
    return f"dropped emotion {emotion!r}"


def relabeled(
    clips: Sequence[Clip], labels: Mapping[str, str], drop: Sequence[str] = ()
) -> tuple[tuple[Clip, ...], dict[str, int]]:
    """The clips of a read corpus under other labels.

    Parameters
    ----------
    clips : sequence of Clip
    labels : mapping of str to str
        From an emotion of the clips to the label it gets: a shared one, one of the user's own,
        ``drop`` or ``keep``; ``*`` stands for all emotions that are not named.
    drop : sequence of str
        Further emotions to leave out.

    Returns
    -------
    tuple of Clip
        Those that are kept.
    dict of str to int
        Number of clips that are left out, by the reason.

    Raises
    ------
    LabelError
        If no clip has an emotion that is named.

    Examples
    --------
    >>> clips = [Clip("a", None, "calm"), Clip("b", None, "sad"), Clip("c", None, "boredom")]
    >>> kept, left_out = relabeled(clips, {"calm": "relaxed"}, ["boredom"])
    >>> [clip.emotion for clip in kept], left_out
    (['relaxed', 'sad'], {"dropped emotion 'boredom'": 1})
    """
    present = in_canonical_order(clip.emotion for clip in clips if clip.emotion)
    words = {**labels, **dict.fromkeys(drop, DROP)}
    new: dict[str, str] = {}
    for word, meaning in words.items():
        emotion = label_of(word)
        if emotion not in (*present, OTHERS):
            raise LabelError(
                f"No clip of the corpus is {word!r}, which the labels name. Its classes are: "
                f"{', '.join(present) or 'no labels'}."
            )
        label = label_of(meaning)
        new[emotion] = emotion if label == KEEP else label
    if words.get(OTHERS, KEEP).lower() != KEEP:
        new |= {emotion: new[OTHERS] for emotion in present if emotion not in new}
    counts = Counter(
        dropped_reason(clip.emotion)
        for clip in clips
        if clip.emotion and new.get(clip.emotion) == DROP
    )
    kept = (
        replace(clip, emotion=new.get(clip.emotion, clip.emotion)) if clip.emotion else clip
        for clip in clips
    )
    return tuple(clip for clip in kept if clip.emotion != DROP), dict(counts)
