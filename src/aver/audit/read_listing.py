"""`read_listing`: read a split in any form, from a file, several files, or a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from aver.audit.folds import name_clips
from aver.audit.json_split import read_json_split
from aver.audit.listing import Listing, describe_clips
from aver.audit.names import Entry, describe_name
from aver.audit.rows import COLUMN_KINDS, Row, parse_json, read_text
from aver.audit.split_files import read_split_files, read_split_folder
from aver.corpora.corpus import Corpus
from aver.corpora.name_pattern import NamePattern
from aver.errors import SettingsError, SplitError
from aver.settings import settings
from aver.splits.split import SUBSETS


@settings
class ReadingSettings:
    """What the user says about a list that the list itself does not say.

    Parameters
    ----------
    pattern : str
        File-name pattern, see `aver.corpora.name_pattern.NamePattern`.
    columns : mapping of str to str
        The list's column names for ``name``, ``path``, ``speaker``, ``emotion``, ``sex``,
        ``sentence``, ``performance``, ``subset`` or ``fold``.

    Raises
    ------
    SettingsError
        If a column is given for anything else.
    """

    pattern: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # "part" is what version 0.1 called a subset.
        columns = dict(self.columns)
        if "part" in columns:
            columns.setdefault("subset", columns.pop("part"))
        object.__setattr__(self, "columns", columns)
        for kind in columns:
            if kind not in COLUMN_KINDS:
                raise SettingsError(
                    f"A column cannot hold {kind!r}. It can hold: {', '.join(COLUMN_KINDS)}."
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
        Its speakers and labels take precedence over those of the list.
    settings : ReadingSettings, optional

    Returns
    -------
    Listing

    Raises
    ------
    SplitError
        If nothing can be read, or no subset is recognized.
    SettingsError
        If the pattern is wrong or matches no name.
    """
    settings = settings or ReadingSettings()
    declared: tuple[str, ...] = ()
    unassigned: tuple[Row, ...] = ()
    if len(paths) == 1 and paths[0].suffix.lower() == ".json" and paths[0].is_file():
        value = parse_json(read_text(paths[0]), paths[0])
        form, rows, unassigned = read_json_split(value, paths[0], settings.columns)
        if isinstance(value, dict) and isinstance(value.get("leaks"), list):
            declared = tuple(str(sentence) for sentence in value["leaks"])
    elif len(paths) == 1 and paths[0].is_dir():
        form, rows, unassigned = read_split_folder(paths[0], settings.columns)
    else:
        form, rows, unassigned = read_split_files(paths, settings.columns)
    folds = [fold for _, fold in sorted(name_clips(rows).items())]
    if not any({"train", "test"} & set(fold) for fold in folds):
        raise SplitError(
            f"{paths[0]}: no subset can be recognized. Name the subsets train, validation and "
            "test: in the names of files or folders, as keys, or in a column "
            "(--column subset=NAME)."
        )
    clips = [row for fold in folds for subset in fold.values() for row in subset]
    if not clips:
        raise SplitError(f"{paths[0]} names no clips: every subset of it is empty.")
    pattern = NamePattern(settings.pattern) if settings.pattern else None
    entries, unknown = describe_clips(
        ((row.name, row.path, row.fields) for row in clips), corpus, pattern
    )
    if pattern and not corpus and not any(_matches(pattern, one) for one in entries.values()):
        raise SettingsError(
            f"The pattern {settings.pattern!r} matches none of {len(entries)} names, for instance "
            f"{next(iter(entries.values())).path!r}."
        )
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
        unassigned=tuple(sorted(f"{row.name} ({row.subset or 'nothing'})" for row in unassigned)),
    )


def _matches(pattern: NamePattern, entry: Entry) -> bool:
    """Whether the pattern adds to what is known of a name."""
    with_pattern = describe_name(entry.name, None, pattern, entry.path)
    return with_pattern != describe_name(entry.name, path=entry.path)
