"""`sort_pictures`: the parts of a picture corpus without copies, blanks and contradictions."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aver.audit.listing import listing_of
from aver.audit.media_match import Match, find_matches
from aver.audit.media_places import places_in_corpus
from aver.audit.picture_print import print_of_picture_file
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import MediaError
from aver.execution.atomic import write_json
from aver.pretraining.picture_parts import PURPOSES
from aver.splits.split import PARTS, Fold, Split

FAULTS = (
    "unreadable",
    "blank",
    "copy of a test picture",
    "copy of a validation picture",
    "two labels",
    "double",
)
"""Why a picture is set aside; the first that applies is the one that is named."""

_RULES = 3  # version of the rules, so that a file kept under older ones is made anew


@dataclass(frozen=True)
class SortedPictures:
    """Pictures by part, and those set aside.

    Parameters
    ----------
    parts : mapping of str to tuple of str
        Clip ids to learn, to choose and to test with.
    faults : mapping of str to mapping of str to tuple of str
        Part, then fault (one of `FAULTS`), to the clips set aside. The test part is named where
        pictures of it cannot be read.
    doubtful : tuple of str
        Pictures of the test part that are blank, have two labels, or come twice. They stay in the
        test, for the published figures count them; the result is given without them beside.
    """

    parts: Mapping[str, tuple[str, ...]]
    faults: Mapping[str, Mapping[str, tuple[str, ...]]]
    doubtful: tuple[str, ...]

    def as_published(self, fold: Fold) -> SortedPictures:
        """The same with nothing set aside but what cannot be read; training LEAKS.

        It holds copies of the test.
        """
        torn = {part: self.faults.get(part, {}).get("unreadable", ()) for part in PARTS}
        return replace(
            self,
            parts={
                part: tuple(name for name in names if name not in torn[part])
                for part, names in fold.parts().items()
            },
            faults={part: {"unreadable": names} for part, names in torn.items() if names},
        )


def sort_pictures(corpus: Corpus, split: Split, *, workers: int = 1) -> SortedPictures:
    """Find copies, blanks and contradictions by content, and set them aside.

    The test part stays as published, but for pictures that cannot be read. Of training and
    validation go: unreadable and blank pictures, copies of test pictures, of training also copies
    of validation pictures, and all but the first of several copies within the part. Where copies
    bear several labels, one that more than half of them bear counts and pictures with another go;
    where there is none, all go.

    Parameters
    ----------
    corpus : Corpus
        Of pictures.
    split : Split
        Its first fold counts.
    workers : int >= 1
        Processes; the result does not depend on it.

    Raises
    ------
    MediaError
        If nothing is left of a part.
    """
    matches = find_matches(places_in_corpus(listing_of(split, corpus), corpus), workers)
    labels = {clip.clip_id: clip.emotion or "" for clip in corpus}
    seen = {clip.clip_id: _seen(clip) for clip in corpus}
    found = sort_by_matches(
        split.folds[0],
        labels,
        matches.found,
        [name for name, what in seen.items() if what == "blank"],
        [name for name, what in seen.items() if what == "unreadable"],
    )
    for part, names in found.parts.items():
        if not names and getattr(split.folds[0], part):
            told = {fault: len(those) for fault, those in found.faults[part].items()}
            counts = ", ".join(f"{fault} {count}" for fault, count in told.items())
            raise MediaError(
                f"No picture of {corpus.label} is left {PURPOSES[part]}; set aside: {counts}."
            )
    return found


def keep_sorted(corpus: Corpus, split: Split, place: Path, *, workers: int = 1) -> SortedPictures:
    """As `sort_pictures`; the search takes minutes, so its result is kept in a file.

    Parameters
    ----------
    corpus, split, workers
        As `sort_pictures`.
    place : Path
        JSON file, read where it fits the split, else written.
    """
    if place.exists():
        kept = json.loads(place.read_text(encoding="utf-8"))
        if (kept["split"], kept.get("rules")) == (split.hash, _RULES):
            parts = {part: tuple(names) for part, names in kept["parts"].items()}
            return SortedPictures(parts, kept["faults"], tuple(kept["doubtful"]))
    found = sort_pictures(corpus, split, workers=workers)
    write_json(place, {"split": split.hash, "rules": _RULES, **asdict(found)})
    return found


def _seen(clip: Clip) -> str:
    """``"blank"`` where a picture shows nothing, ``"unreadable"``, or empty."""
    assert clip.video is not None
    try:
        return "blank" if print_of_picture_file(clip.video) is None else ""
    except MediaError:
        return "unreadable"


def sort_by_matches(
    fold: Fold,
    labels: Mapping[str, str],
    matches: Sequence[Match],
    blank: Iterable[str],
    unreadable: Iterable[str] = (),
) -> SortedPictures:
    """As `sort_pictures`, with the copies known already.

    Parameters
    ----------
    fold : Fold
    labels : mapping of str to str
        Clip id to emotion.
    matches : sequence of Match
        Pairs with the same content.
    blank, unreadable : iterable of str
        Pictures that show nothing, and that cannot be read.
    """
    part_of = {name: part for part in PARTS for name in getattr(fold, part)}
    groups = _groups(part_of, matches)
    blank, unreadable = set(blank), set(unreadable)
    found = {
        name: "unreadable"
        if name in unreadable
        else _fault(name, groups[name], part_of, labels, blank)
        for name in part_of
    }
    faults: dict[str, dict[str, list[str]]] = {part: defaultdict(list) for part in PARTS}
    kept: dict[str, list[str]] = {part: [] for part in PARTS}
    for name, part in part_of.items():
        if found[name]:
            faults[part][found[name]].append(name)
        if not found[name] or (part == "test" and found[name] != "unreadable"):
            kept[part].append(name)
    torn = faults["test"].pop("unreadable", [])
    doubtful = tuple(name for names in faults.pop("test").values() for name in names)
    if torn:
        faults["test"] = {"unreadable": torn}
    return SortedPictures(
        {part: tuple(names) for part, names in kept.items()},
        {
            part: {fault: tuple(names) for fault, names in of_part.items()}
            for part, of_part in faults.items()
        },
        doubtful,
    )


def _fault(
    name: str,
    group: Sequence[str],
    part_of: Mapping[str, str],
    labels: Mapping[str, str],
    blank: set[str],
) -> str:
    """One of `FAULTS`; empty for a picture to keep."""
    part = part_of[name]
    others = {part_of[other] for other in group if other != name}
    if name in blank:
        return "blank"
    agreed = _agreed([labels[other] for other in group])
    if part == "test" and len({labels[other] for other in group}) > 1:
        return "two labels"
    if part != "test" and "test" in others:
        return "copy of a test picture"
    if part == "train" and "validation" in others:
        return "copy of a validation picture"
    if labels[name] != agreed:
        return "two labels"
    same_part = sorted(o for o in group if part_of[o] == part and labels[o] == agreed)
    return "double" if same_part[0] != name else ""


def _agreed(labels: Sequence[str]) -> str | None:
    """The label of more than half of the copies."""
    word, count = Counter(labels).most_common(1)[0]
    return word if 2 * count > len(labels) else None


def _groups(part_of: Mapping[str, str], matches: Sequence[Match]) -> dict[str, list[str]]:
    """For each name the names with its content, itself among them; copies of copies are copies."""
    root = {name: name for name in part_of}

    def top(name: str) -> str:
        while root[name] != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for match in matches:
        if match.one in root and match.other in root:
            root[top(match.other)] = top(match.one)
    members: dict[str, list[str]] = defaultdict(list)
    for name in part_of:
        members[top(name)].append(name)
    return {name: members[top(name)] for name in part_of}
