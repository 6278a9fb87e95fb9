"""`Row`: one clip as a foreign list has it, and the words by which lists name their fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_COLUMNS = {
    "name": ("name", "key", "id", "utt", "utt_id", "utterance_name", "clip", "clip_id", "filename"),
    "path": ("path", "wav", "file", "file_path", "filepath", "audio", "audio_path", "video",
             "video_path", "image", "filename", "wav_path", "file_name"),
    "speaker": ("speaker", "spk", "spk_id", "speaker_id", "spkr", "actor", "actor_id", "subject",
                "speaker_name", "actorid", "subject_id"),
    "emotion": ("emotion", "emo", "label", "class", "emotion_label", "category"),
    "sex": ("sex", "gender"),
    "sentence": ("sentence", "sentence_id", "text", "transcript", "statement", "utterance",
                 "utterance_text"),
    "performance": ("performance", "recording", "recording_id", "original"),
    "part": ("part", "split", "set", "subset", "partition", "dataset_split", "usage"),
    "fold": ("fold", "fold_id", "cv_fold"),
}  # fmt: skip
WHAT = tuple(_COLUMNS)
"""What a column can tell."""

_FLAGS = frozenset({"true", "false", "yes", "no", "0", "1", "nan", "none"})
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
    """

    name: str
    path: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    part: str = ""
    fold: str = ""

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
        words = (columns[what].lower(),) if what in columns else _COLUMNS[what]
        for word in words:
            value = lower.get(word)
            if value is not None and not isinstance(value, (dict, list)) and str(value).strip():
                return str(value).strip()
        return ""

    path = cell("path")
    name = key or cell("name") or path
    if path and name.isdigit():  # a running number, which every part counts from nought
        name = path
    if not name:
        return None
    facts = {what: text for what in _FACTS if (text := cell(what))}
    if facts.get("performance", "").lower() in _FLAGS:  # whether it is an original, not of which
        del facts["performance"]
    return Row(name, path or name, facts, cell("part"), cell("fold"))
