"""`audit_run`: the split of one of our runs, and what its records say of fitting and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from aver.audit.audit_split import audit_split
from aver.audit.finding import Finding
from aver.audit.listing import Listing
from aver.audit.read_listing import read_listing
from aver.audit.report import AuditReport
from aver.audit.rows import parse_json, read_text
from aver.audit.sharing import pair_words
from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.splits.split import SHARED_SPEAKERS, SUBSETS, declares

Places = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class FitRecord:
    """Two keys of a recogniser's card.

    Parameters
    ----------
    fitted_on : mapping of str to tuple of str
        From what was fitted without labels (a scaler, a codebook, feature statistics) to where:
        names of subsets (``train``, ``validation``, ``test``) or ids of clips.
    labels_used : mapping of str to tuple of str
        From what used labels (the weights, the choice of the epoch, the neurons' labels, the
        edges of a graph) to whose: names of subsets, or ids of clips.

    Notes
    -----
    In the card, JSON, for instance::

        "fitted_on": {"sound scaler": ["train"]},
        "labels_used": {"weights": ["train"], "epoch": ["validation"], "neuron labels": ["train"]}
    """

    fitted_on: Places
    labels_used: Places

    @property
    def weights_from(self) -> tuple[str, ...]:
        """Whose labels the weights were learnt from.

        A recogniser that is fitted again on training and validation clips together, once its
        choices are made, says so; validation clips are then clips that it was trained on.
        """
        return tuple(
            place
            for what, places in self.labels_used.items()
            if what.rpartition(": ")[2] == "weights"
            for place in places
        )

    @classmethod
    def of_card(cls, card: Mapping[str, Any], where: str) -> FitRecord | None:
        """Read the record out of a card; None where it has neither key.

        Raises
        ------
        SplitError
            If a key holds anything but a mapping to lists of texts.
        """
        if "fitted_on" not in card and "labels_used" not in card:
            return None
        return cls(
            _places(card.get("fitted_on", {}), "fitted_on", where),
            _places(card.get("labels_used", {}), "labels_used", where),
        )


def find_in_record(
    record: FitRecord, fold: int, clips: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """Yield what was fitted beyond training, and uses of test labels.

    Parameters
    ----------
    record : FitRecord
    fold : int
        Counted from 1.
    clips : mapping of str to sequence of str
        The fold's clips by subset; tells where a clip id belongs.
    """
    subset_of = {clip: subset for subset in reversed(SUBSETS) for clip in clips.get(subset, ())}
    learned = {_subset(place, subset_of) for place in record.weights_from} & {"train", "validation"}
    for what, places in record.fitted_on.items():
        beyond = {_subset(place, subset_of) for place in places} - learned - {"train"}
        if beyond:
            message = f"{what!r} was fitted on more than the training clips."
            yield Finding("fitted-beyond-training", message, fold, _ordered(beyond), (what,))
    for what, places in record.labels_used.items():
        subsets = {_subset(place, subset_of) for place in places}
        if subsets - {"train", "validation"}:
            message = f"{what!r} used labels of clips that are neither training nor validation."
            found = _ordered(subsets - {"train", "validation"})
            yield Finding("test-labels-used", message, fold, found, (what,))


def _subset(place: str, subset_of: Mapping[str, str]) -> str:
    """The subset that a word or clip id means; what is in no subset is outside the fold."""
    return place if place in SUBSETS else subset_of.get(place, "outside")


def _ordered(subsets: set[str]) -> tuple[str, ...]:
    return tuple(subset for subset in (*SUBSETS, "outside") if subset in subsets)


def _places(value: Any, key: str, where: str) -> dict[str, tuple[str, ...]]:
    if isinstance(value, dict) and all(
        isinstance(places, list) and all(isinstance(place, str) for place in places)
        for places in value.values()
    ):
        return {str(what): tuple(places) for what, places in value.items()}
    raise SplitError(
        f"{where}: {key!r} must hold lists of subsets or clip ids by what was fitted, for instance "
        '{"scaler": ["train"]}.'
    )


def is_run_folder(folder: Path) -> bool:
    """Whether a folder is one of our runs: it holds ``settings.yaml`` and ``split.json``."""
    return (folder / "settings.yaml").is_file() and (folder / "split.json").is_file()


def audit_run(folder: Path, corpus: Corpus | None = None) -> AuditReport:
    """Audit a run folder: its split by names, its records by what they say.

    Parameters
    ----------
    folder : Path
        With ``split.json``, ``settings.yaml`` and, for each fold and seed, a ``fold.json``.
    corpus : Corpus, optional

    Returns
    -------
    AuditReport

    Raises
    ------
    SplitError
        If a file is missing or broken.
    """
    if not is_run_folder(folder):
        raise SplitError(f"{folder} is no run folder: it lacks settings.yaml or split.json.")
    listing = read_listing([folder / "split.json"], corpus)
    records = sorted(folder.glob("folds/**/fold.json"))  # baselines are runs of their own
    findings = list(_find_in_settings(folder / "settings.yaml", listing.declared))
    silent = []
    for path in records:
        found = list(_find_in_fold(path, listing))
        if any(finding.kind == "no-record" for finding in found):
            silent.append(path.parent.relative_to(folder).as_posix())
        findings += [finding for finding in found if finding.kind != "no-record"]
    if silent or not records:
        message = f"{pair_words(len(silent), 'fold')} without a record of what it was fitted on."
        findings.append(Finding("no-record", message, subjects=tuple(silent)))
    # Seeds repeat a fold: what is found in each of them is one finding.
    distinct = dict.fromkeys(findings)
    return audit_split(listing).with_findings(distinct, [pair_words(len(records), "record")])


def _find_in_settings(path: Path, known: tuple[str, ...]) -> Iterator[Finding]:
    """Leaks that the run declares and its split does not."""
    import yaml

    try:
        settings = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise SplitError(f"{path} is not valid YAML: {error}.") from error
    leaks = settings.get("leaks", []) if isinstance(settings, dict) else []
    sentences = tuple(str(sentence) for sentence in leaks if sentence not in known)
    if sentences:
        message = f"The run declares {pair_words(len(sentences), 'leak')}."
        yield Finding("leaking-protocol", message, subjects=sentences, declared=True)


def _find_in_fold(path: Path, listing: Listing) -> Iterator[Finding]:
    values = parse_json(read_text(path), path)
    if not isinstance(values, dict) or not isinstance(values.get("fold"), int):
        raise SplitError(f"{path} is no record of a fold: it lacks the key 'fold'.")
    # A training on one fold of a larger split keeps that fold's number, and the one fold alone.
    number = values["fold"] + 1 if len(listing.folds) > 1 else 1
    yield from _shared_speakers(values, number, listing)
    card = values.get("card", {})
    record = FitRecord.of_card(card, str(path)) if isinstance(card, dict) else None
    if record is None:
        yield Finding("no-record", "", number)
        return
    if not 1 <= number <= len(listing.folds):
        raise SplitError(f"{path}: the split has no fold {values['fold']} (counted from 0).")
    yield from find_in_record(record, number, listing.folds[number - 1])


def _shared_speakers(values: dict[str, Any], number: int, listing: Listing) -> Iterator[Finding]:
    """Speakers that the run itself recorded on two sides; for splits whose names tell none."""
    if any(entry.speaker for entry in listing.entries.values()):
        return
    for one, other in combinations(SUBSETS, 2):
        lists = [values.get(f"{subset}_speakers") or [] for subset in (one, other)]
        shared = sorted(set(map(str, lists[0])) & set(map(str, lists[1])))
        if shared:
            message = f"{pair_words(len(shared), 'speaker')} of {one} also in {other}."
            declared = declares(listing.declared, SHARED_SPEAKERS)
            yield Finding(SHARED_SPEAKERS, message, number, (one, other), tuple(shared), declared)
