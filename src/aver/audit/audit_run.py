"""`audit_run`: audit the split of a run folder, and what its records say of fitting and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aver.audit.audit_split import audit_split, shared_speakers
from aver.audit.finding import Finding, counted
from aver.audit.listing import Listing
from aver.audit.read_listing import read_listing
from aver.audit.report import AuditReport
from aver.audit.rows import parse_json, read_text
from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.execution.clip_work import reading
from aver.execution.documents import parse_yaml
from aver.splits.split import SUBSETS, shared_between


def audit_run(folder: Path, corpus: Corpus | None = None) -> AuditReport:
    """Audit a run folder: its split by names, its folds by their records.

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
        raise SplitError(f"{folder} is not a run folder: it lacks settings.yaml or split.json.")
    listing = read_listing([folder / "split.json"], corpus)
    paths = sorted(folder.glob("folds/**/fold.json"))  # baselines are runs of their own
    records = {
        path.parent.relative_to(folder).as_posix(): parse_json(read_text(path), path)
        for path in paths
    }
    leaks = _declared_leaks(folder / "settings.yaml")
    return audit_records(audit_split(listing), listing, records, leaks)


def audit_records(
    report: AuditReport, listing: Listing, records: Mapping[str, Any], leaks: Sequence[str] = ()
) -> AuditReport:
    """Add to the audit of a split what the records of a run say.

    Parameters
    ----------
    report : AuditReport
        Of the split.
    listing : Listing
        The split.
    records : mapping of str to mapping
        The content of ``fold.json`` by the name of the fold's folder, for each fold and seed.
    leaks : sequence of str
        Leaks that the run declares.

    Raises
    ------
    SplitError
        If a record is broken.
    """
    findings = list(_find_leaks(leaks, listing.declared))
    unrecorded = []
    for name, values in records.items():
        if not isinstance(values, dict) or not isinstance(values.get("fold"), int):
            raise SplitError(
                f"{name}/fold.json is not the record of a fold: it lacks the key 'fold'."
            )
        # A training on one fold of a larger split keeps the number of that fold.
        number = values["fold"] + 1 if len(listing.folds) > 1 else 1
        findings += _find_recorded_speakers(values, number, listing)
        card = values.get("card", {})
        record = FitRecord.of_card(card, f"{name}/fold.json") if isinstance(card, dict) else None
        if record is None:
            unrecorded.append(name)
        elif not 1 <= number <= len(listing.folds):
            raise SplitError(
                f"{name}/fold.json: the split has no fold {values['fold']} (counted from 0)."
            )
        else:
            findings += find_in_record(record, number, listing.folds[number - 1])
    if unrecorded or not records:
        message = f"{counted(len(unrecorded), 'fold')} without a record of what it was fitted on."
        findings.append(Finding("no-record", message, subjects=tuple(unrecorded)))
    # Seeds repeat a fold: a finding of several seeds is one finding.
    distinct = dict.fromkeys(findings)
    return report.with_findings(distinct, [counted(len(records), "record")])


def is_run_folder(folder: Path) -> bool:
    """Whether a folder is a run folder: it holds ``settings.yaml`` and ``split.json``."""
    return (folder / "settings.yaml").is_file() and (folder / "split.json").is_file()


@dataclass(frozen=True)
class FitRecord:
    """Two entries of a recognizer's card: what it was fitted on, and which labels it used.

    Parameters
    ----------
    fitted_on : mapping of str to tuple of str
        From what was fitted without labels (a scaler, a codebook, feature statistics) to the
        clips: names of subsets (``train``, ``validation``, ``test``) or ids of clips.
    labels_used : mapping of str to tuple of str
        From what used labels (the weights, the selection of the epoch, the labels of neurons, the
        edges of a graph) to the clips: names of subsets or ids of clips.

    Notes
    -----
    In the card, as JSON::

        "fitted_on": {"audio scaler": ["train"]},
        "labels_used": {"weights": ["train"], "epoch": ["validation"], "neuron labels": ["train"]}
    """

    fitted_on: Mapping[str, tuple[str, ...]]
    labels_used: Mapping[str, tuple[str, ...]]

    @property
    def weights_from(self) -> tuple[str, ...]:
        """The subsets or clips whose labels trained the weights.

        A recognizer that is refitted on training and validation clips after its settings are
        selected names both; then both count as training.
        """
        return tuple(
            clips
            for what, subsets in self.labels_used.items()
            if what.rpartition(": ")[2] == "weights"
            for clips in subsets
        )

    @classmethod
    def of_card(cls, card: Mapping[str, Any], where: str) -> FitRecord | None:
        """Read the record from a card; None if the card has neither entry.

        Raises
        ------
        SplitError
            If an entry is not a mapping to lists of texts.
        """
        if "fitted_on" not in card and "labels_used" not in card:
            return None
        return cls(
            *(_lists_of_text(card.get(key, {}), key, where) for key in ("fitted_on", "labels_used"))
        )


def _lists_of_text(value: Any, key: str, where: str) -> dict[str, tuple[str, ...]]:
    if isinstance(value, dict) and all(
        isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        for texts in value.values()
    ):
        return {str(what): tuple(texts) for what, texts in value.items()}
    raise SplitError(
        f"{where}: {key!r} must hold lists of subsets or clip ids by what was fitted, for instance "
        '{"scaler": ["train"]}.'
    )


def find_in_record(
    record: FitRecord, fold: int, clips: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """Yield what was fitted on more than the training clips, and uses of test labels.

    Parameters
    ----------
    record : FitRecord
    fold : int
        Counted from 1.
    clips : mapping of str to sequence of str
        The clips of the fold by subset.
    """
    subset_of = {clip: subset for subset in reversed(SUBSETS) for clip in clips.get(subset, ())}
    # What is in no subset is outside the fold.
    subset_of |= {subset: subset for subset in SUBSETS}

    def named(texts: Sequence[str]) -> set[str]:
        return {subset_of.get(text, "outside") for text in texts}

    trained_on = {"train", *(named(record.weights_from) & {"train", "validation"})}
    for what, texts in record.fitted_on.items():
        beyond = named(texts) - trained_on
        if beyond:
            message = f"{what!r} was fitted on more than the training clips."
            yield Finding("fitted-beyond-training", message, fold, _in_order(beyond), (what,))
    for what, texts in record.labels_used.items():
        beyond = named(texts) - {"train", "validation"}
        if beyond:
            message = f"{what!r} used labels of clips that are neither training nor validation."
            yield Finding("test-labels-used", message, fold, _in_order(beyond), (what,))


def _in_order(subsets: set[str]) -> tuple[str, ...]:
    return tuple(subset for subset in (*SUBSETS, "outside") if subset in subsets)


def _declared_leaks(path: Path) -> tuple[str, ...]:
    with reading(path, SplitError):
        settings = parse_yaml(read_text(path))
        leaks = settings.get("leaks", []) if isinstance(settings, dict) else []
        return tuple(str(sentence) for sentence in leaks)


def _find_leaks(leaks: Sequence[str], known: tuple[str, ...]) -> Iterator[Finding]:
    """Leaks that the run declares and its split does not."""
    sentences = tuple(sentence for sentence in leaks if sentence not in known)
    if sentences:
        message = f"The run declares {counted(len(sentences), 'leak')}."
        yield Finding("leaking-protocol", message, subjects=sentences, declared=True)


def _find_recorded_speakers(
    values: Mapping[str, Any], number: int, listing: Listing
) -> Iterator[Finding]:
    """Speakers that the run recorded in two subsets, if the names give no speakers."""
    if any(entry.speaker for entry in listing.entries.values()):
        return
    recorded = {
        subset: [str(speaker) for speaker in values.get(f"{subset}_speakers") or []]
        for subset in SUBSETS
    }
    for one, other, speakers in shared_between(recorded, lambda speaker: speaker):
        yield shared_speakers(number, one, other, speakers, listing)
