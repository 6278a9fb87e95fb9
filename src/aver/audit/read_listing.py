"""`read_listing`: anybody's split, from a file, several files, or a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aver.audit.listing import Listing, clips_by_name, entry_of_clip, find_clip, with_one_name_each
from aver.audit.names import Entry, describe_name
from aver.audit.rows import WHAT, Row, parse_json, read_text
from aver.audit.split_formats import (
    name_clips_apart,
    read_json_split,
    read_split_files,
    read_split_folder,
)
from aver.corpora.corpus import Corpus
from aver.corpora.name_pattern import NamePattern
from aver.errors import SettingsError, SplitError
from aver.splits.split import SUBSETS


@dataclass(frozen=True)
class ReadingSettings:
    """What the user says about a list that its own words do not tell.

    Parameters
    ----------
    pattern : str
        File-name pattern, see `aver.corpora.name_pattern.NamePattern`.
    columns : mapping of str to str
        What the list calls ``name``, ``path``, ``speaker``, ``emotion``, ``sex``, ``sentence``,
        ``performance``, ``subset`` or ``fold``.

    Raises
    ------
    SettingsError
        If a column is to tell anything else.
    """

    pattern: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # "part" is what version 0.1 called a subset.
        columns = {
            "subset" if what == "part" else what: name for what, name in self.columns.items()
        }
        object.__setattr__(self, "columns", columns)
        for what in columns:
            if what not in WHAT:
                raise SettingsError(
                    f"A column cannot tell {what!r}. It can tell: {', '.join(WHAT)}."
                )


def read_listing(
    paths: Sequence[Path],
    corpus: Corpus | None = None,
    settings: ReadingSettings | None = None,
) -> Listing:
    """Read a split in any of the usual forms.

    Parameters
    ----------
    paths : sequence of Path
        One JSON, CSV or JSON-lines file with all subsets; several files, one per subset, with the
        subset in their names; or a folder of such files, of media in a folder per subset, of Kaldi
        data folders, or of ``fold_1/``, ``fold_2/`` with any of these; or one list or folder of
        media per fold, each tested in turn.
    corpus : Corpus, optional
        Knows speakers and labels better than the list.
    settings : ReadingSettings, optional

    Returns
    -------
    Listing

    Raises
    ------
    SplitError
        If nothing can be read, or no subset be told.
    SettingsError
        If the pattern is wrong, or fits no name.
    """
    settings = settings or ReadingSettings()
    declared: tuple[str, ...] = ()
    untold: tuple[Row, ...] = ()
    if len(paths) == 1 and paths[0].suffix.lower() == ".json" and paths[0].is_file():
        value = parse_json(read_text(paths[0]), paths[0])
        form, pieces, untold = read_json_split(value, paths[0], settings.columns)
        if isinstance(value, dict) and isinstance(value.get("leaks"), list):
            declared = tuple(str(sentence) for sentence in value["leaks"])
    elif len(paths) == 1 and paths[0].is_dir():
        form, pieces, untold = read_split_folder(paths[0], settings.columns)
    else:
        form, pieces, untold = read_split_files(paths, settings.columns)
    pieces = name_clips_apart(pieces)
    folds = [pieces[number] for number in sorted(pieces)]
    if not any(set(fold) & {"train", "test"} for fold in folds):
        raise SplitError(
            f"{paths[0]}: no subset can be recognized. Name the subsets train, "
            "validation and test: in the names of files or folders, "
            "as keys, or in a column (--column subset=YOURS)."
        )
    if not any(rows for fold in folds for rows in fold.values()):
        raise SplitError(f"{paths[0]} names no clips: every subset of it is empty.")
    entries, unknown = _describe(folds, corpus, settings)
    return Listing(
        source=", ".join(str(path) for path in paths),
        files=tuple(str(path) for path in paths),
        form=form,
        folds=tuple(
            {subset: tuple(row.name for row in fold.get(subset, ())) for subset in SUBSETS}
            for fold in folds
        ),
        entries=entries,
        declared=declared,
        unknown=unknown,
        untold=tuple(sorted(f"{row.name} ({row.subset or 'nothing'})" for row in untold)),
    )


def _fits(pattern: NamePattern, entry: Entry) -> bool:
    told = describe_name(entry.name, None, pattern, entry.path)
    return told != describe_name(entry.name, path=entry.path)


def _describe(
    folds: Iterable[Mapping[str, Sequence[Row]]], corpus: Corpus | None, settings: ReadingSettings
) -> tuple[dict[str, Entry], tuple[str, ...]]:
    pattern = NamePattern(settings.pattern) if settings.pattern else None
    clips = clips_by_name(corpus)
    entries: dict[str, Entry] = {}
    unknown = []
    for row in (row for fold in folds for rows in fold.values() for row in rows):
        if row.name in entries:
            continue
        clip = find_clip(clips, row.name, row.path)
        if clip is not None:
            entries[row.name] = entry_of_clip(row.name, clip, row.path)
            continue
        entries[row.name] = describe_name(row.name, row.fields, pattern, row.path)
        if corpus is not None:
            unknown.append(row.name)
    if pattern and not clips and not any(_fits(pattern, e) for e in entries.values()):
        raise SettingsError(
            f"The pattern {settings.pattern!r} fits none of {len(entries)} names, for instance "
            f"{next(iter(entries.values())).path!r}."
        )
    return with_one_name_each(entries), tuple(sorted(unknown))
