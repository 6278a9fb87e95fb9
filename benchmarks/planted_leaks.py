"""Generated splits, each with one planted leak or none, to test the audit of names."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
SUBSETS = ("train", "validation", "test")
PAIRS = (("train", "test"), ("train", "validation"), ("validation", "test"))
KINDS = (
    "shared-clips",
    "shared-performances",
    "derived-copies",
    "shared-speakers",
    "validation-is-test",
    "fitted-beyond-training",
    "test-labels-used",
)
MARKS = (
    "_aug1", "-noise", "_noise_snr10db", "_flip", "_seg003", "_chunk2", "_pitch+2", "_speed0.9",
    " (1)", "_crop", "-reverb", "_part2",
)  # fmt: skip


@dataclass
class Planted:
    """A split as rows, with the kind and the place of its leak."""

    kind: str
    naming: str
    folds: list[dict[str, list[dict[str, str]]]]
    fold: int = 0
    subsets: tuple[str, str] = ("train", "test")
    cards: dict[int, dict[str, object]] = field(default_factory=dict)


def _ravdess(speaker: int, sentence: int, emotion: int, take: int) -> dict[str, str]:
    fields = f"01-{emotion + 1:02d}-01-{sentence % 2 + 1:02d}-{take + 1:02d}-{speaker + 1:02d}"
    return {"path": f"Actor_{speaker + 1:02d}/03-{fields}.wav"}


def _cremad(speaker: int, sentence: int, emotion: int, take: int) -> dict[str, str]:
    words = ("DFA", "IEO", "ITS", "WSI")
    level = ("LO", "MD", "HI", "XX")[take]
    return {"path": f"AudioWAV/{1001 + speaker}_{words[sentence]}_{EMOTIONS[emotion]}_{level}.wav"}


def _enterface(speaker: int, sentence: int, emotion: int, take: int) -> dict[str, str]:
    code = ("an", "di", "fe", "ha", "sa", "su")[emotion]
    number = sentence + 1 if take == 0 else 5  # five sentences, one take each
    return {"path": f"subject {speaker + 1}/s{speaker + 1}_{code}_{number}.avi"}


def _columns(speaker: int, sentence: int, emotion: int, take: int) -> dict[str, str]:
    """Names without information: running numbers in a folder per speaker, facts in columns."""
    number = (sentence * 6 + emotion) * 4 + take
    return {
        "path": f"p{speaker}/{number:04d}.wav",
        "spk_id": f"p{speaker}",
        "emotion": EMOTIONS[emotion],
        "sentence": f"text {sentence}",
    }


NAMINGS: dict[str, Callable[[int, int, int, int], dict[str, str]]] = {
    "ravdess": _ravdess,
    "cremad": _cremad,
    "enterface": _enterface,
    "columns": _columns,
}


def plant(kind: str, seed: int) -> Planted:
    """Make a speaker-disjoint split and plant one leak in it; kind ``"clean"`` plants none.

    Clean splits are hard too: copies and pieces of a clip within its own subset, the same
    sentences in all subsets, and the same running numbers in the folders of all speakers.
    """
    random = np.random.default_rng(seed)
    naming = str(random.choice(list(NAMINGS)))
    folds = _clean_folds(NAMINGS[naming], random)
    for fold in folds:
        for rows in fold.values():
            for row in list(rows[:3]):
                rows.append(_copy(row, random))
    planted = Planted(kind, naming, folds, int(random.integers(len(folds))))
    fold = folds[planted.fold]
    planted.subsets = PAIRS[int(random.integers(3))]
    one, other = (fold[subset] for subset in planted.subsets)
    row = one[int(random.integers(len(one)))]
    if kind == "shared-clips":
        other.append(dict(row))
    elif kind == "shared-performances":
        other.append(_other_container(one[0], naming))
    elif kind == "derived-copies":
        other.append(_copy(one[0], random))
    elif kind == "shared-speakers":
        # Move the clip, so that only its speaker is in both subsets.
        moved = one[4] if len(one) > 4 else one[-1]
        one.remove(moved)
        other.append(moved)
    elif kind == "validation-is-test":
        planted.subsets = ("validation", "test")
        fold["validation"] = [dict(row) for row in random.permutation(np.array(fold["test"]))]
    elif kind in ("fitted-beyond-training", "test-labels-used"):
        _plant_record(planted, random)
    return planted


def _clean_folds(
    name: Callable[[int, int, int, int], dict[str, str]], random: np.random.Generator
) -> list[dict[str, list[dict[str, str]]]]:
    speakers = random.permutation(int(random.integers(6, 25)))
    count = int(random.integers(1, 6))
    groups = np.array_split(speakers, max(3, count))
    sentences, takes = int(random.integers(1, 5)), int(random.integers(1, 3))

    def rows_of(group: np.ndarray) -> list[dict[str, str]]:
        rows = [
            name(int(speaker), sentence, emotion, take)
            for speaker in group
            for sentence in range(sentences)
            for emotion in range(6)
            for take in range(takes)
        ]
        distinct = {row["path"]: row for row in rows}  # some corpora have fewer sentences
        return list(distinct.values())

    folds = []
    for number in range(count):
        order = [groups[(number + place) % len(groups)] for place in range(len(groups))]
        test, validation, train = order[0], order[1], np.concatenate(order[2:])
        folds.append(
            {"train": rows_of(train), "validation": rows_of(validation), "test": rows_of(test)}
        )
    return folds


def _copy(row: dict[str, str], random: np.random.Generator) -> dict[str, str]:
    stem, suffix = row["path"].rsplit(".", 1)
    return {**row, "path": f"{stem}{random.choice(MARKS)}.{suffix}"}


def _other_container(row: dict[str, str], naming: str) -> dict[str, str]:
    path = row["path"]
    if naming == "ravdess":
        return {"path": path.replace("/03-", "/01-").replace(".wav", ".mp4")}
    if naming == "cremad":
        return {"path": path.replace("AudioWAV/", "VideoFlash/").replace(".wav", ".flv")}
    return {**row, "path": path.rsplit(".", 1)[0] + ".mp4"}


def _plant_record(planted: Planted, random: np.random.Generator) -> None:
    test = planted.folds[planted.fold]["test"]
    clean: dict[str, object] = {
        "fitted_on": {"audio scaler": ["train"]},
        "labels_used": {"weights": ["train"], "epoch": ["validation"]},
    }
    planted.cards = dict.fromkeys(range(len(planted.folds)), clean)
    # By the name of the subset, or by the id of a single clip.
    places = ["train", "test"] if random.random() < 0.5 else ["train", test[0]["path"]]
    faulty = dict(clean)
    if planted.kind == "fitted-beyond-training":
        faulty["fitted_on"] = {"audio scaler": places}
    else:
        faulty["labels_used"] = {"weights": ["train"], "neuron labels": places}
    planted.cards[planted.fold] = faulty


def write_split(planted: Planted, folder: Path, form: str) -> list[Path]:
    """Write the split in one of the forms that `aver audit` reads.

    Parameters
    ----------
    planted : Planted
    folder : Path
        Empty.
    form : {"run", "jsonl", "csv", "records", "lists"}
    """
    folder.mkdir(parents=True, exist_ok=True)
    if form == "run":
        return _write_run(planted, folder)
    for number, fold in enumerate(planted.folds, start=1):
        place = folder / f"fold_{number}"
        place.mkdir()
        for subset, rows in fold.items():
            _write_list(place / f"corpus_{subset}_fold_{number}", rows, form)
    return [folder]


def _write_list(place: Path, rows: list[dict[str, str]], form: str) -> None:
    if form == "jsonl":  # EmoBox
        text = "".join(json.dumps({"wav": row["path"], **row}) + "\n" for row in rows)
        place.with_suffix(".jsonl").write_text(text)
    elif form == "records":  # SpeechBrain
        value = {f"{row['path']}": {"wav": row["path"], **row} for row in rows}
        place.with_suffix(".json").write_text(json.dumps(value))
    else:
        with place.with_suffix(".csv").open("w", newline="") as handle:
            writer = csv.DictWriter(handle, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def _write_run(planted: Planted, folder: Path) -> list[Path]:
    folds = [
        {subset: [row["path"] for row in fold[subset]] for subset in SUBSETS}
        for fold in planted.folds
    ]
    (folder / "settings.yaml").write_text("leaks: []\n")
    (folder / "split.json").write_text(
        json.dumps({"format": "aver-split-1", "corpus": "x", "leaks": [], "folds": folds})
    )
    for number, card in planted.cards.items():
        place = folder / "folds" / "seed-0" / f"fold-{number:02d}"
        place.mkdir(parents=True)
        (place / "fold.json").write_text(json.dumps({"fold": number, "card": card}))
    return [folder]
