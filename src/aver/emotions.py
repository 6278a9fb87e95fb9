"""The emotion labels shared by all corpora, in their canonical order.

A corpus may have further labels (``boredom``, ``contempt``): it declares them in its
`aver.corpora.CorpusInfo`, and in tables and probability vectors they follow the shared ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from aver.errors import LabelError

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
)
"""In canonical order, which all tables and probability vectors have; see `in_canonical_order`."""

_SYNONYMS = {
    "neutral": "neutral", "neu": "neutral", "n": "neutral",
    "calm": "calm",
    "happy": "happy", "happiness": "happy", "hap": "happy", "joy": "happy", "ha": "happy",
    "sad": "sad", "sadness": "sad", "sa": "sad",
    "angry": "angry", "anger": "angry", "ang": "angry", "an": "angry",
    "fearful": "fearful", "fear": "fearful", "fea": "fearful", "afraid": "fearful",
    "fe": "fearful",
    "disgust": "disgust", "disgusted": "disgust", "dis": "disgust", "di": "disgust",
    "surprised": "surprised", "surprise": "surprised", "sur": "surprised", "su": "surprised",
}  # fmt: skip


def parse_emotion(word: str, where: str, further: Collection[str] = ()) -> str:
    """Translate a word of a corpus into the canonical label.

    Parameters
    ----------
    word : str
        For instance ``"HAP"``, ``"Fear"``, ``"surprised"``; case does not matter.
    where : str
        The file or row of the word, for the error.
    further : collection of str
        Labels besides `EMOTIONS` that the corpus declares.

    Returns
    -------
    str
        One of `EMOTIONS` or of `further`.

    Raises
    ------
    LabelError
        If the word is not known.

    Examples
    --------
    >>> parse_emotion("Fear", "clip.mp4")
    'fearful'
    >>> parse_emotion("Boredom", "03a01La.wav", further=("boredom",))
    'boredom'
    """
    label = word.strip().lower()
    if label in further:
        return label
    try:
        return _SYNONYMS[label]
    except KeyError:
        known = ", ".join(in_canonical_order({*EMOTIONS, *further}))
        raise LabelError(
            f"Unknown emotion {word!r} in {where}. Use one of {known}, or a usual abbreviation."
        ) from None


def is_shared(word: str) -> bool:
    """Whether a word or abbreviation means one of `EMOTIONS`; case does not matter.

    Examples
    --------
    >>> is_shared("Fear"), is_shared("boredom")
    (True, False)
    """
    return word.strip().lower() in _SYNONYMS


def in_canonical_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Distinct labels in the order of `EMOTIONS`, then any others in alphabetical order.

    Examples
    --------
    >>> in_canonical_order(["sad", "contempt", "neutral", "sad"])
    ('neutral', 'sad', 'contempt')
    """
    present = set(labels)
    others = sorted(present.difference(EMOTIONS))
    return (*(label for label in EMOTIONS if label in present), *others)
