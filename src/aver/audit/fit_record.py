"""`FitRecord`: what a run says that it was fitted on, and whose labels it used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aver.audit.finding import Finding
from aver.errors import SplitError
from aver.splits.split import PARTS

Places = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class FitRecord:
    """Two keys of a recogniser's card.

    Parameters
    ----------
    fitted_on : mapping of str to tuple of str
        From what was fitted without labels (a scaler, a codebook, feature statistics) to where:
        names of parts (``train``, ``validation``, ``test``) or ids of clips.
    labels_used : mapping of str to tuple of str
        From what used labels (the weights, the choice of the epoch, the neurons' labels, the
        edges of a graph) to whose: names of parts, or ids of clips.

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
        The fold's clips by part; tells where a clip id belongs.
    """
    part_of = {clip: part for part in reversed(PARTS) for clip in clips.get(part, ())}
    learnt = {_part(place, part_of) for place in record.weights_from} & {"train", "validation"}
    for what, places in record.fitted_on.items():
        beyond = {_part(place, part_of) for place in places} - learnt - {"train"}
        if beyond:
            message = f"{what!r} was fitted on more than the training clips."
            yield Finding("fitted-beyond-training", message, fold, _ordered(beyond), (what,))
    for what, places in record.labels_used.items():
        parts = {_part(place, part_of) for place in places}
        if parts - {"train", "validation"}:
            message = f"{what!r} used labels of clips that are neither training nor validation."
            found = _ordered(parts - {"train", "validation"})
            yield Finding("test-labels-used", message, fold, found, (what,))


def _part(place: str, part_of: Mapping[str, str]) -> str:
    """The part that a word or clip id means; what is in no part is outside the fold."""
    return place if place in PARTS else part_of.get(place, "outside")


def _ordered(parts: set[str]) -> tuple[str, ...]:
    return tuple(part for part in (*PARTS, "outside") if part in parts)


def _places(value: Any, key: str, where: str) -> dict[str, tuple[str, ...]]:
    if isinstance(value, dict) and all(
        isinstance(places, list) and all(isinstance(place, str) for place in places)
        for places in value.values()
    ):
        return {str(what): tuple(places) for what, places in value.items()}
    raise SplitError(
        f"{where}: {key!r} must hold lists of parts or clip ids by what was fitted, for instance "
        '{"scaler": ["train"]}.'
    )
