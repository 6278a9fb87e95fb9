"""`read_list_file`: the rows of one list in CSV, TSV, JSON, JSON lines, text or Kaldi's scp."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aver.audit.names import canonical_label, subset_of_word
from aver.emotions import EMOTIONS
from aver.errors import SplitError
from aver.execution import documents

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
"""The usual names of columns and keys, in lower case."""

COLUMN_KINDS = tuple(_COLUMNS)
"""What a column can hold."""

_RECORDING_COLUMNS = ("dialogue_id", "dialog_id", "conversation_id", "video_id", "video_name")
"""Columns with the recording that numbered pieces are cut from: MELD, CMU-MOSI, CH-SIMS."""
_PIECE_COLUMNS = ("utterance_id", "clip_id", "segment_id", "segment")
"""Columns with the number of the piece."""

_FLAGS = frozenset({"true", "false", "yes", "no", "0", "1", "nan", "none"})
_DECIMAL = re.compile(r"[+-]?\d+\.\d+")  # a degree of valence, not a class
_RUNNING_NUMBER = re.compile(r"[A-Za-z]*[_\- ]?\d+")


@dataclass(frozen=True)
class Row:
    """One clip of a list.

    Parameters
    ----------
    name : str
        Id, or path if there is no id.
    path : str
    fields : mapping
        Speaker, emotion, sex, sentence and performance, as far as the list has them.
    subset, fold : str
        Cells of the columns that assign the clip; empty if there are none.
    is_counted : bool
        Whether the name consists of the numbers of a recording and of a piece of it, which may
        start again in each subset, as in MELD.
    """

    name: str
    path: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    subset: str = ""
    fold: str = ""
    is_counted: bool = field(default=False, repr=False)

    @property
    def is_running_number(self) -> bool:
        """Whether the name is only a running number, such as ``12`` and ``utt_12``."""
        return bool(_RUNNING_NUMBER.fullmatch(self.name))


SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".lst", ".scp"})
"""Files that `read_list_file` reads."""


def read_list_file(path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Read a list of clips in any of the usual forms.

    Parameters
    ----------
    path : Path
        With one of `SUFFIXES`.
    columns : mapping of str to str
        Names of columns, from what they hold (`COLUMN_KINDS`); others have the usual names.

    Raises
    ------
    SplitError
        If the file cannot be read, is broken, or names no clips.
    """
    text = read_text(path)
    suffix = path.suffix.lower()
    is_table = suffix in (".csv", ".tsv")
    if is_table:
        rows = rows_of_records(_records(text, "\t" if suffix == ".tsv" else ","), path, columns)
    elif suffix in (".jsonl", ".ndjson"):
        rows = rows_of_records([parse_json(line, path) for line in lines_of(text)], path, columns)
    elif suffix == ".json":
        rows = rows_of_json(parse_json(text, path), path, columns)
    else:
        rows = [_row_of_line(line, suffix == ".scp") for line in lines_of(text)]
    if not rows:
        header = text.partition("\n")[0].strip() if is_table else ""
        raise SplitError(
            f"{path} names no clips.{f' Its first line is: {header[:200]}.' if header else ''} A "
            "list needs a column (or key) such as 'path', 'wav', 'file', 'name' or 'id'. If it has "
            "another name, give it with --column path=NAME."
        )
    return rows


def rows_of_json(value: Any, path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of a JSON value in any of the usual forms of lists of clips.

    Parameters
    ----------
    value : any
        A list of paths, of numbers, of records or of pairs ``[path, label]``; a mapping from ids
        to records, to files, to labels or to subsets; a mapping from classes to such lists.
    path : Path
        Of the list, for messages.
    columns : mapping of str to str
        Names of keys, see `read_list_file`.

    Raises
    ------
    SplitError
        If some records name a clip and others do not, or no record has a column of `columns`.
    """
    if isinstance(value, dict):
        return list(_rows_of_mapping(value, path, columns))
    if isinstance(value, list):
        return rows_of_records(value, path, columns)
    return []


def rows_of_records(records: Sequence[Any], path: Path, columns: Mapping[str, str]) -> list[Row]:
    """Rows of records in their order; empty records are skipped.

    Raises
    ------
    SplitError
        If some records name a clip and others do not, or no record has a column of `columns`.
    """
    _check_columns(records, path, columns)
    filled = [(n, record) for n, record in enumerate(records, start=1) if not _is_empty(record)]
    found = [(number, _row_of_record(record, columns)) for number, record in filled]
    nameless = [number for number, row in found if row is None]
    rows = [row for _, row in found if row is not None]
    if rows and nameless:
        raise SplitError(
            f"{path}: {len(nameless)} of {len(found)} records name no clip; the first of them is "
            f"record {nameless[0]}. Give each a name or a path, or remove them from the list."
        )
    return rows


def row_of(values: Mapping[str, Any], columns: Mapping[str, str], key: str = "") -> Row | None:
    """Read a record whose keys may have any of the usual names.

    Parameters
    ----------
    values : mapping
        From the list's column or key to its value.
    columns : mapping of str to str
        Names of keys, see `read_list_file`, for instance ``{"speaker": "who"}``.
    key : str
        The key of the record, if the list is a mapping.

    Returns
    -------
    Row or None
        None if the record has neither id nor file.

    Examples
    --------
    >>> row_of({"wav": "a/1.wav", "spk_id": 3, "emo": "ang"}, {}).fields
    {'speaker': '3', 'emotion': 'ang'}
    """
    cells = {str(name).strip().lower(): value for name, value in values.items()}

    def cell(kind: str, usual: Sequence[str] = ()) -> str:
        names = (columns[kind].lower(),) if kind in columns else usual or _COLUMNS[kind]
        return _first(cells, names, skip_decimals=kind == "emotion")

    fields = {
        kind: text
        for kind in ("speaker", "emotion", "sex", "sentence", "performance")
        if (text := cell(kind))
    }
    if "performance" not in columns and fields.get("performance", "").lower() in _FLAGS:
        del fields["performance"]  # a flag: whether it is an original, not of which
    path, subset, fold = cell("path"), cell("subset"), cell("fold")
    mode = str(cells.get("mode", ""))  # the column of subsets in CH-SIMS and MMSA
    if not subset and subset_of_word(mode):
        subset = mode
    name = key or cell("name") or path
    if name.isdigit() and path:  # a running number that starts again in every subset
        name = path
    recording = cell("performance", _RECORDING_COLUMNS)
    piece = cell("name", (*_PIECE_COLUMNS, *_COLUMNS["name"]))
    if recording and piece.isdigit() and not key and not path:
        fields.setdefault("performance", f"recording {recording}")
        counted = recording.isdigit()
        name = f"dia{recording}_utt{piece}" if counted else f"{recording}_{piece}"
        path = name if counted else f"{recording}/{piece}"
        return Row(name, path, fields, subset, fold, counted)
    name = name or recording
    return Row(name, path or name, fields, subset, fold) if name else None


def _first(cells: Mapping[str, Any], names: Sequence[str], skip_decimals: bool) -> str:
    """The first cell of these that holds a word or a number."""
    for name in names:
        value = cells.get(name)
        if skip_decimals and _DECIMAL.fullmatch(str(value)):
            continue
        if isinstance(value, dict):  # a file with its bytes or samples, as in Hugging Face datasets
            value = value.get("path")
        if value is not None and not isinstance(value, (dict, list)) and str(value).strip():
            return str(value).strip()
    return ""


def _check_columns(records: Sequence[Any], path: Path, columns: Mapping[str, str]) -> None:
    """Raise an error if there are records, and a column of the user is in none of them."""
    keys = {str(key).strip() for record in records if isinstance(record, dict) for key in record}
    present = {key.lower() for key in keys}
    missing = [name for name in columns.values() if name.lower() not in present]
    if keys and missing:
        raise SplitError(
            f"{path} has no column {missing[0]!r}. It has: {', '.join(sorted(keys))[:300]}."
        )


def _is_empty(record: Any) -> bool:
    if isinstance(record, dict):
        return all(value is None or str(value).strip() == "" for value in record.values())
    return record is None or record == ""


def _row_of_record(record: Any, columns: Mapping[str, str]) -> Row | None:
    if isinstance(record, dict):
        return row_of(record, columns)
    if isinstance(record, list) and record and isinstance(record[0], str):
        return _row_of_pair(record[0], record[1] if len(record) == 2 else None)
    return Row(str(record), str(record)) if isinstance(record, (str, int)) else None


def _row_of_pair(name: str, label: Any) -> Row:
    """A clip with its label; a number is not taken for a label, because it may mean anything."""
    word = label.strip() if isinstance(label, str) else ""
    return Row(name, name, {"emotion": word} if word and not word.isdigit() else {})


_FILE = re.compile(r".*[/\\].*|.*\.[A-Za-z][A-Za-z0-9]{1,4}")


def _rows_of_mapping(
    value: Mapping[str, Any], path: Path, columns: Mapping[str, str]
) -> Iterator[Row]:
    _check_columns([one for one in value.values() if not _holds_records(one)], path, columns)
    if not any(isinstance(record, (dict, list)) for record in value.values()):
        for key, word in value.items():  # an id with its subset, its file, or its label
            text = word.strip() if isinstance(word, str) else ""
            if subset_of_word(text):
                yield Row(str(key), str(key), subset=word)
            elif _FILE.fullmatch(text):
                yield Row(str(key), text)
            else:
                yield _row_of_pair(str(key), word)
        return
    lists = any(isinstance(record, list) for record in value.values())
    for key, record in value.items():  # values beside lists or records are about the whole list
        if isinstance(record, list) or _holds_records(record):
            label = canonical_label(str(key))
            fields = {"emotion": label} if label in EMOTIONS else {}
            for row in rows_of_json(record, path, columns):
                yield replace(row, fields={**fields, **row.fields})
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


def _records(text: str, delimiter: str) -> list[dict[str, str]]:
    header = text.partition("\n")[0]
    if delimiter not in header:  # spreadsheets write semicolons if numbers have decimal commas
        delimiter = next((sign for sign in ";\t|," if sign in header), delimiter)
    # Not split into lines first: quoted cells may hold line breaks.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    records = list(reader)
    for record in records:
        record.pop(None, None)
    return records


_CELLS = re.compile(r"[;|,\t]")
_FILE_NAME = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{1,4}")


def _row_of_line(line: str, keyed: bool) -> Row:
    """``path``, ``path label``, ``path;label;subset``, or Kaldi's ``id path-or-command``."""
    words = line.split(maxsplit=1)
    if keyed and len(words) == 2:
        return Row(words[0], words[1].split("|")[0].split()[-1])
    cells = [cell.strip() for cell in _CELLS.split(line.strip())]
    if len(cells) > 1 and _FILE_NAME.fullmatch(cells[0]):
        # A file, followed by other files, labels and subsets in any order.
        labels = [label for cell in cells[1:] if (label := canonical_label(cell)) in EMOTIONS]
        subsets = [cell for cell in cells[1:] if subset_of_word(cell)]
        fields = {"emotion": labels[0]} if labels else {}
        return Row(cells[0], cells[0], fields, subset=subsets[0] if subsets else "")
    label = words[1].strip() if len(words) == 2 else ""
    if " " in label or not label:  # a path with spaces, or only a path
        return Row(line.strip(), line.strip())
    return _row_of_pair(words[0], label)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8; raises `SplitError` if it cannot be read."""
    try:
        return documents.read_document(path)
    except OSError as error:
        raise SplitError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SplitError(f"{path} is not text in UTF-8: {error.reason}.") from error
    except ValueError as error:
        raise SplitError(f"{path} cannot be read: {error}.") from error


def parse_json(text: str, path: Path) -> Any:
    """The value of a JSON text; raises `SplitError` if it is not valid."""
    try:
        return documents.parse_json(text)
    except ValueError as error:
        raise SplitError(f"{path} is not valid JSON: {error}.") from error


def lines_of(text: str) -> Iterator[str]:
    """Lines that are not empty. Only a newline ends one: transcripts hold other line breaks."""
    return (line.rstrip("\r") for line in text.split("\n") if line.strip())
