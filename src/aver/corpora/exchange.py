"""Corpora from and to the datasets of other libraries: Hugging Face ``datasets`` and audformat.

Clips stay files: their paths are exchanged, no media are opened. Audio and video that a dataset
holds as bytes are written to a folder first.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.corpora.corpus import Corpus
from aver.corpora.manifest import Layout, Manifest, clips_of_rows
from aver.errors import CorpusError, SettingsError
from aver.execution.files import cache_root, write_atomically

if TYPE_CHECKING:
    from aver.corpora.clip import Clip

FACTS = (
    *("clip_id", "speaker", "emotion", "sex", "intensity"),
    *("sentence", "take", "channel", "performance", "subset"),
)
"""Columns of both kinds besides the media, named as the fields of `Clip`."""

_SUBSETS = {"train": "train", "validation": "validation", "valid": "validation"}
_SUBSETS |= {"dev": "validation", "test": "test"}
_SUFFIXES = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3"}


def from_datasets(
    dataset: Any,
    *,
    columns: Mapping[str, str] | None = None,
    layout: Layout | None = None,
    folder: str | Path | None = None,
) -> Corpus:
    """A corpus of the rows of a ``datasets.Dataset`` or ``DatasetDict``.

    Parameters
    ----------
    dataset : datasets.Dataset or datasets.DatasetDict
        With a column of paths, ``Audio`` or ``Video`` features. The parts of a ``DatasetDict``
        named train, validation and test are the official subsets.
    columns : mapping of str to str
        Names of its columns, by ours: ``file`` (or ``video`` and ``audio``), ``emotion``,
        ``speaker`` and the others of `FACTS`. By default those of the same name.
    layout : Layout, optional
        Title, license, and what labels mean that are not words for emotions.
    folder : str or Path, optional
        Where media that the dataset holds as bytes are written; default: in the user's cache.

    Returns
    -------
    Corpus
        Rows that cannot be used are among its problems.

    Raises
    ------
    CorpusError
        If there is no column with media, or no row can be used.
    """
    parts = dataset if isinstance(dataset, Mapping) else {"": dataset}
    place = Path(folder).expanduser() if folder else cache_root() / "datasets"
    rows: list[tuple[str, dict[str, str]]] = []
    for name, part in parts.items():
        subset = {"subset": _SUBSETS[name]} if name in _SUBSETS else {}
        for number, row in enumerate(_rows_of(part, columns or {}, place)):
            rows.append((f"{name or 'dataset'}, row {number}", {**subset, **row}))
    media = [row[name] for _, row in rows for name in ("file", "video", "audio") if row.get(name)]
    root = Path(os.path.commonpath([Path(path).parent for path in media])) if media else place
    return _corpus(root, rows, layout or Layout(title="Rows of a dataset"))


def to_datasets(corpus: Corpus) -> Any:
    """A ``datasets.Dataset`` with one row per clip, as `from_datasets` reads it.

    The columns ``video`` and ``audio`` hold paths: ``cast_column("audio", datasets.Audio())``
    decodes them.

    Raises
    ------
    SettingsError
        If the library is not installed.
    """
    datasets = _library("datasets")
    table = [{**_facts(clip), **_files(clip)} for clip in corpus]
    names = [name for name in table[0] if any(row[name] for row in table)]
    return datasets.Dataset.from_dict({name: [row[name] for row in table] for name in names})


def from_audformat(
    database: Any,
    *,
    emotion: str = "emotion",
    speaker: str = "speaker",
    layout: Layout | None = None,
) -> Corpus:
    """A corpus of the files of an ``audformat.Database``.

    Parameters
    ----------
    database : audformat.Database
        Loaded from a folder. Segments, parts of a file, are listed as problems: clips are whole
        files.
    emotion, speaker : str
        Names of its schemes. Schemes named as the others of `FACTS`, and ``gender``, are read too.
    layout : Layout, optional
        What labels mean that are not words for emotions.

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If it has no such scheme of emotions, or no file can be used.
    """
    if emotion not in database.schemes:
        known = ", ".join(database.schemes) or "none"
        raise CorpusError(
            f"The database {database.name!r} has no scheme {emotion!r}. Its schemes are: {known}."
        )
    schemes = {emotion: "emotion", speaker: "speaker", "gender": "sex"}
    schemes |= {name: name for name in FACTS if name not in ("emotion", "speaker")}
    others = [name for name in schemes if name in database.schemes and name != emotion]
    table = database.get(emotion, others).reset_index()
    root = Path(database.root or ".")
    rows = []
    for number, row in table.iterrows():
        facts = {schemes[name]: _word(row[name]) for name in (emotion, *others)}
        if "start" in table and (row["start"].total_seconds() > 0 or row["end"] == row["end"]):
            facts = {}  # a segment: it names no file of its own
        else:
            facts["file"] = str(row["file"])
        rows.append((f"{row['file']}, row {number}", facts))
    described = layout or Layout(
        title=database.description or database.name,
        license=str(database.license or Layout().license),
        url=str(database.source or ""),
    )
    return _corpus(root, rows, described)


def to_audformat(corpus: Corpus, name: str = "") -> Any:
    """An ``audformat.Database`` with one row per clip, as `from_audformat` reads it.

    Parameters
    ----------
    corpus : Corpus
    name : str
        Of the database; default that of the corpus.

    Raises
    ------
    SettingsError
        If the library is not installed.
    """
    audformat = _library("audformat")
    info = corpus.info
    database = audformat.Database(
        name or corpus.label.replace(" ", "-"),
        source=info.url if info else "",
        license=info.license if info else None,
        description=info.title if info else None,
    )
    clips = list(corpus)
    files = [str(clip.video or clip.audio or "") for clip in clips]
    inside = all(Path(file).is_relative_to(corpus.root) for file in files)
    if inside:
        files = [Path(file).relative_to(corpus.root).as_posix() for file in files]
    table = database["files"] = audformat.Table(audformat.filewise_index(files))
    facts = [_facts(clip) for clip in clips]
    for fact in FACTS:
        values = [row[fact] or None for row in facts]
        if any(values):
            scheme = {"sex": "gender"}.get(fact, fact)
            labels = sorted({value for value in values if value})
            database.schemes[scheme] = audformat.Scheme(labels=labels)
            table[scheme] = audformat.Column(scheme_id=scheme)
            table[scheme].set(values)
    if inside:
        database._root = str(corpus.root)
    return database


def _corpus(root: Path, rows: Sequence[tuple[str, Mapping[str, str]]], layout: Layout) -> Corpus:
    reader = Manifest()
    clips, problems, left_out = clips_of_rows(root, rows, layout)
    info = replace(
        reader.info,
        title=layout.title,
        license=layout.license,
        citation=layout.citation,
        url=layout.url,
        further_emotions=layout.own_emotions(),
    )
    return reader.collect(root, clips, problems, left_out=left_out, info=info)


def _rows_of(part: Any, columns: Mapping[str, str], place: Path) -> Iterator[dict[str, str]]:
    """The rows of a dataset with our names, media as paths and class numbers as their names."""
    media = ("file", "video", "audio")
    ours = {name: columns.get(name, name) for name in (*media, *FACTS)}
    ours = {name: column for name, column in ours.items() if column in part.column_names}
    if not any(name in ours for name in media):
        raise CorpusError(
            f"The dataset has the columns {', '.join(part.column_names)}, none with media. Name "
            "one: columns={'audio': NAME}."
        )
    undecoded = part
    for name in media:
        feature: Any = part.features[ours[name]] if name in ours else None
        if hasattr(feature, "decode"):  # the library's own name of the switch
            undecoded = undecoded.cast_column(ours[name], replace(feature, decode=False))
    for row in undecoded:
        facts = {}
        for name, column in ours.items():
            value, feature = row[column], part.features[column]
            if name in media:
                facts[name] = _path(value, place)
            elif hasattr(feature, "int2str") and value is not None and value >= 0:
                facts[name] = feature.int2str(value)
            else:
                facts[name] = _word(value)
        yield facts


def _path(value: Any, place: Path) -> str:
    """Full path of a medium; one that is given as bytes is written, named by its content."""
    given = value if isinstance(value, Mapping) else {"path": value}
    content, path = given.get("bytes"), _word(given.get("path"))
    if not content:
        return str(Path(path).expanduser().absolute()) if path else ""
    suffix = Path(path).suffix or next(
        (known for head, known in _SUFFIXES.items() if content.startswith(head)), ".mp4"
    )
    target = place / f"{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
    if not target.exists():
        with write_atomically(target) as temporary:
            temporary.write_bytes(content)
    return str(target)


def _word(value: Any) -> str:
    """A label as text; empty for a missing one (None, NaN, NA)."""
    import pandas as pd

    return "" if value is None or pd.isna(value) else str(value)


def _facts(clip: Clip) -> dict[str, str]:
    return {name: str(getattr(clip, name) or "") for name in FACTS}


def _files(clip: Clip) -> dict[str, str | None]:
    return {name: str(getattr(clip, name) or "") or None for name in ("video", "audio")}


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise SettingsError(
            f"This needs the library {name}. Install it with: pip install 'aver[{name}]'."
        ) from None
