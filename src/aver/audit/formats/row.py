"""`Row`: one clip as a foreign list has it, and the words by which lists name their fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aver.audit.part_words import is_part_word

_COLUMNS = {
    "name": ("name", "key", "id", "utt", "utt_id", "utterance_name", "clip", "clip_id", "filename",
             "utterance_id", "segment_id"),
    "path": ("path", "wav", "file", "file_path", "filepath", "audio", "audio_path", "video",
             "video_path", "image", "filename", "wav_path", "file_name"),
    "speaker": ("speaker", "spk", "spk_id", "speaker_id", "spkr", "actor", "actor_id", "subject",
                "speaker_name", "actorid", "subject_id"),
    "emotion": ("emotion", "emo", "label", "class", "emotion_label", "category",
                "annotation"),
    "sex": ("sex", "gender"),
    "sentence": ("sentence", "sentence_id", "text", "transcript", "statement", "utterance",
                 "utterance_text"),
    "performance": ("performance", "recording", "recording_id", "original"),
    "part": ("part", "split", "set", "subset", "partition", "dataset_split", "usage"),
    "fold": ("fold", "fold_id", "cv_fold"),
}  # fmt: skip
WHAT = tuple(_COLUMNS)
"""What a column can tell."""

_WHOLES = ("dialogue_id", "dialog_id", "conversation_id", "video_id", "video_name")
"""Columns that name a recording of which a list holds numbered pieces: MELD, CMU-MOSI, CH-SIMS."""
_NUMBERS = ("utterance_id", "clip_id", "segment_id", "segment")
"""Columns that number the pieces."""

_FLAGS = frozenset({"true", "false", "yes", "no", "0", "1", "nan", "none"})
_MEASURED = re.compile(r"[+-]?\d+\.\d+")  # a degree of valence, not a class
_RUNNING_NUMBER = re.compile(r"[A-Za-z]*[_\- ]?\d+")

_FACTS = ("speaker", "emotion", "sex", "sentence", "performance")


@dataclass(frozen=True)
class Row:
    """One clip of a list.

    Parameters
    ----------
    name : str
        Id, or path where there is no id.
    path : str
    fields : mapping
        What the list says of speaker, emotion, sex, sentence and performance.
    part, fold : str
        Cells of the columns that say where the clip belongs; empty where there are none.
    is_counted : bool
        Whether the name is made of numbers, of a recording and of a piece of it: each part may
        count them anew, as MELD's do.
    """

    name: str
    path: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    part: str = ""
    fold: str = ""
    is_counted: bool = field(default=False, repr=False)

    @property
    def is_running_number(self) -> bool:
        """Whether the name only counts, as ``12`` and ``utt_12`` do."""
        return bool(_RUNNING_NUMBER.fullmatch(self.name))


def row_of(values: Mapping[str, Any], columns: Mapping[str, str], key: str = "") -> Row | None:
    """Read a record whose fields may have any of the usual names.

    Parameters
    ----------
    values : mapping
        From the list's own column or key to its value.
    columns : mapping of str to str
        The user's word on what a column is called, for instance ``{"speaker": "who"}``.
    key : str
        The record's key, where the list is a mapping.

    Returns
    -------
    Row or None
        None where neither id nor file is named.

    Examples
    --------
    >>> row_of({"wav": "a/1.wav", "spk_id": 3, "emo": "ang"}, {})
    Row(name='a/1.wav', path='a/1.wav', fields={'speaker': '3', 'emotion': 'ang'}, part='', fold='')
    """
    lower = {str(name).strip().lower(): value for name, value in values.items()}

    def cell(what: str) -> str:
        return _first(lower, _words(what, columns))

    classes = {word: value for word, value in lower.items() if not _MEASURED.fullmatch(str(value))}
    found = {what: cell(what) for what in _FACTS}
    found["emotion"] = _first(classes, _words("emotion", columns))
    facts = {what: text for what, text in found.items() if text}
    if "performance" not in columns and facts.get("performance", "").lower() in _FLAGS:
        del facts["performance"]  # whether it is an original, not of which
    path, part, fold = cell("path"), cell("part"), cell("fold")
    if not part and is_part_word(str(lower.get("mode", ""))):  # as CH-SIMS's and MMSA's lists say
        part = str(lower["mode"])
    name = key or cell("name") or path
    if name.isdigit() and path:  # a running number, which every part counts from nought
        name = path
    whole, number = _piece(lower, columns)
    if whole and number.isdigit() and not key and not path:
        facts.setdefault("performance", f"recording {whole}")
        counted = whole.isdigit()
        name = f"dia{whole}_utt{number}" if counted else f"{whole}_{number}"
        return Row(name, name if counted else f"{whole}/{number}", facts, part, fold, counted)
    name = name or whole
    return Row(name, path or name, facts, part, fold) if name else None


def _piece(lower: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str, str]:
    """The recording and the number of its piece, where a list names clips by both."""
    words = _words("name", columns)
    number = _first(lower, words if "name" in columns else (*_NUMBERS, *words))
    return _first(lower, _words("performance", columns, _WHOLES)), number


def _words(
    what: str, columns: Mapping[str, str], usual: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """What a column may be called: what the user says, else any of the usual words."""
    if what in columns:
        return (columns[what].lower(),)
    return _COLUMNS[what] if usual is None else usual


def _first(lower: Mapping[str, Any], words: Sequence[str]) -> str:
    """The first cell that holds a word or a number."""
    for word in words:
        value = lower.get(word)
        if isinstance(value, dict):  # a file with its bytes or samples beside, as data sets hold it
            value = value.get("path")
        if value is not None and not isinstance(value, (dict, list)) and str(value).strip():
            return str(value).strip()
    return ""
