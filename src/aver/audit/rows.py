"""`read_list_file`: rows of one list in CSV, TSV, JSON, JSON lines, text or Kaldi's scp."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aver.audit.names import canonical_label, is_subset_word
from aver.emotions import EMOTIONS
from aver.errors import SplitError

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
    "subset": ("subset", "split", "set", "part", "partition", "dataset_split", "usage"),
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
    subset, fold : str
        Cells of the columns that say where the clip belongs; empty where there are none.
    is_counted : bool
        Whether the name is made of numbers, of a recording and of a piece of it: each subset may
        count them anew, as MELD's do.
    """

    name: str
    path: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    subset: str = ""
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
    >>> row_of({"wav": "a/1.wav", "spk_id": 3, "emo": "ang"}, {}).fields
    {'speaker': '3', 'emotion': 'ang'}
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
    path, subset, fold = cell("path"), cell("subset"), cell("fold")
    if not subset and is_subset_word(
        str(lower.get("mode", ""))
    ):  # as CH-SIMS's and MMSA's lists say
        subset = str(lower["mode"])
    name = key or cell("name") or path
    if name.isdigit() and path:  # a running number, which every subset counts from nought
        name = path
    whole, number = _piece(lower, columns)
    if whole and number.isdigit() and not key and not path:
        facts.setdefault("performance", f"recording {whole}")
        counted = whole.isdigit()
        name = f"dia{whole}_utt{number}" if counted else f"{whole}_{number}"
        return Row(name, name if counted else f"{whole}/{number}", facts, subset, fold, counted)
    name = name or whole
    return Row(name, path or name, facts, subset, fold) if name else None


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


_FILE = re.compile(r".*[/\\].*|.*\.[A-Za-z][A-Za-z0-9]{1,4}")


def rows_of_json(value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of anything that JSON lists of clips look like.

    Parameters
    ----------
    value : any
        A list of paths, of numbers, of records or of pairs ``[path, label]``; a mapping from ids to
        records, to files, to labels or to subsets; a mapping from classes to such lists.
    path : Path
        Of the list, for messages.
    columns : mapping of str to str
        What keys are called, where the usual names do not tell.

    Raises
    ------
    SplitError
        If some records name a clip and others do not, or a named column is in none.
    """
    if isinstance(value, dict):
        return list(_of_mapping(value, path, columns))
    if isinstance(value, list):
        return rows_of_records(value, path, columns)
    return []


def rows_of_records(records: Sequence[Any], path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of records in their order; records without any content are passed over.

    Raises
    ------
    SplitError
        If some records name a clip and others do not, or a named column is in none.
    """
    check_columns(records, path, columns)
    filled = [(n, record) for n, record in enumerate(records, start=1) if not _is_empty(record)]
    found = [(number, _of_record(record, columns)) for number, record in filled]
    nameless = [number for number, row in found if row is None]
    rows = [row for _, row in found if row is not None]
    if rows and nameless:
        raise SplitError(
            f"{path}: {len(nameless)} of {len(found)} records name no clip; the first of them is "
            f"record {nameless[0]}. Give each a name or a path, or take them off the list."
        )
    return rows


def check_columns(records: Sequence[Any], path: Path, columns: Mapping[str, str]) -> None:
    """Refuse columns that the user names and no record has.

    Raises
    ------
    SplitError
        If there are records, and a column is in none of them.
    """
    keys = {str(key).strip() for record in records if isinstance(record, dict) for key in record}
    known = {key.lower() for key in keys}
    missing = [name for name in columns.values() if name.lower() not in known]
    if keys and missing:
        raise SplitError(
            f"{path} has no column {missing[0]!r}. It has: {', '.join(sorted(keys))[:300]}."
        )


def _is_empty(record: Any) -> bool:
    if isinstance(record, dict):
        return all(value is None or str(value).strip() == "" for value in record.values())
    return record is None or record == ""


def _of_record(record: Any, columns: Mapping[str, str]) -> Row | None:
    if isinstance(record, dict):
        return row_of(record, columns)
    if isinstance(record, list) and record and isinstance(record[0], str):
        label = record[1] if len(record) == 2 else None
        return _labelled(record[0], label)
    return Row(str(record), str(record)) if isinstance(record, (str, int)) else None


def _labelled(name: str, label: Any) -> Row:
    """A clip with its label; a number may be a class, or anything."""
    word = label.strip() if isinstance(label, str) else ""
    return Row(name, name, {"emotion": word} if word and not word.isdigit() else {})


def _of_mapping(value: Mapping[str, Any], path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    check_columns([one for one in value.values() if not _holds_records(one)], path, columns)
    if not any(isinstance(record, (dict, list)) for record in value.values()):
        for key, word in value.items():
            yield _of_pair(str(key), word)
        return
    lists = any(isinstance(record, list) for record in value.values())
    for key, record in value.items():  # what stands beside lists or records tells of the whole
        if isinstance(record, list) or _holds_records(record):
            label = canonical_label(str(key))
            facts = {"emotion": label} if label in EMOTIONS else {}
            for row in rows_of_json(record, path, columns):
                yield replace(row, fields={**facts, **row.fields})
        elif isinstance(record, dict) and not lists:
            named = row_of(record, columns, str(key))
            if named is not None:
                yield named


def _holds_records(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and bool(record)
        and all(isinstance(inner, dict) for inner in record.values())
    )


def _of_pair(key: str, word: Any) -> Row:
    """An id with its subset, its file, or its label."""
    if isinstance(word, str) and is_subset_word(word):
        return Row(key, key, subset=word)
    if isinstance(word, str) and _FILE.fullmatch(word.strip()):
        return Row(key, word.strip())
    return _labelled(key, word)


SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".lst", ".scp"})
"""Files that `read_list_file` reads."""

_CELLS = re.compile(r"[;|,\t]")
_FILE_NAME = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{1,4}")


def read_list_file(path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Read a list of clips in any of the usual forms.

    Parameters
    ----------
    path : Path
        With one of `SUFFIXES`.
    columns : mapping of str to str
        What columns are called, where the usual names do not tell.

    Raises
    ------
    SplitError
        If the file cannot be read, is broken, or names no clips.
    """
    text = read_text(path)
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        records = _records(text, "\t" if suffix == ".tsv" else ",")
        rows = rows_of_records(records, path, columns)
    elif suffix in (".jsonl", ".ndjson"):
        rows = rows_of_records([parse_json(line, path) for line in lines_of(text)], path, columns)
    elif suffix == ".json":
        rows = rows_of_json(parse_json(text, path), path, columns)
    else:
        rows = [_of_line(line, suffix == ".scp") for line in lines_of(text)]
    if not rows:
        raise SplitError(
            f"{path} names no clips.{_columns_of(text, suffix)} A list needs a column (or key) such"
            " as 'path', 'wav', 'file', 'name' or 'id'; say which with --column path=YOURS."
        )
    return rows


def _columns_of(text: str, suffix: str) -> str:
    header = text.partition("\n")[0].strip()
    return f" Its first line is: {header[:200]}." if suffix in (".csv", ".tsv") and header else ""


def read_text(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    SplitError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SplitError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SplitError(f"{path} is no text in UTF-8: {error.reason}.") from error


def parse_json(text: str, path: Path) -> Any:
    """The value of a JSON text.

    Raises
    ------
    SplitError
        If it is broken.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise SplitError(f"{path} is not valid JSON: {error}.") from error


def lines_of(text: str) -> Iterator[str]:
    """Lines that hold anything; what is said may hold other signs that end lines in Unicode."""
    return (line.rstrip("\r") for line in text.split("\n") if line.strip())


def _records(text: str, delimiter: str) -> list[dict[str, str]]:
    header = text.partition("\n")[0]
    if delimiter not in header:  # spreadsheets write semicolons where 0,5 is a number
        delimiter = next((sign for sign in ";\t|," if sign in header), delimiter)
    # Whole lines, not split ones: what is said may hold line breaks between quotes.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    records = list(reader)
    for record in records:
        record.pop(None, None)
    return records


def _of_line(line: str, keyed: bool) -> Row:
    """``path``, ``path label``, ``path;label;subset``, or Kaldi's ``id path-or-command``."""
    words = line.split(maxsplit=1)
    if keyed and len(words) == 2:
        return Row(words[0], words[1].split("|")[0].split()[-1])
    cells = [cell.strip() for cell in _CELLS.split(line.strip())]
    if len(cells) > 1 and _FILE_NAME.fullmatch(cells[0]):
        return _of_cells(cells)
    label = words[1].strip() if len(words) == 2 else ""
    if " " in label or not label:  # a path with spaces, or nothing but a path
        return Row(line.strip(), line.strip())
    # A number may be a class, or anything: only words are taken for labels.
    return Row(words[0], words[0], {} if label.isdigit() else {"emotion": label})


def _of_cells(cells: list[str]) -> Row:
    """A file, and behind it other files, labels and subsets in any order."""
    labels = [label for cell in cells[1:] if (label := canonical_label(cell)) in EMOTIONS]
    subsets = [cell for cell in cells[1:] if is_subset_word(cell)]
    facts = {"emotion": labels[0]} if labels else {}
    return Row(cells[0], cells[0], facts, subset=subsets[0] if subsets else "")
