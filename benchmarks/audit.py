"""Detection rate, false alarms and speed of the leak audit.

    python benchmarks/audit.py --data DIR [--out benchmarks/results] [--only times]

Published split rules on the list of clips of CREMA-D; 1,000 planted leaks and 1,000 clean splits;
modified copies of real audio, images and videos; the duplicates of FER2013; times, in seconds of
one core.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from aver.audit import AuditReport, audit_media, audit_run, audit_split, read_listing
from aver.audit.audio_fingerprint import (
    SAMPLE_RATE_HZ,
    audio_file_fingerprint,
    audio_fingerprint,
    find_audio_copies,
)
from aver.audit.audit_media import ClipFiles, find_matches
from aver.audit.perceptual_hash import video_file_hash
from aver.corpora import open_corpus
from aver.execution.files import write_json
from aver.splits import Fold, Split, make_split
from planted_copies import (
    AUDIO_KINDS,
    IMAGE_KINDS,
    VIDEO_KINDS,
    write_audio_copy,
    write_image_copy,
    write_video_copy,
)
from planted_leaks import KINDS, plant, write_split

FORMS = ("jsonl", "csv", "records")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument(
        "--only", nargs="+", help="measurements to make; the others stay as they are"
    )
    arguments = parser.parse_args()
    data = arguments.data
    target = arguments.out / "audit.json"
    result: dict[str, Any] = {}
    if arguments.only and target.exists():
        result = json.loads(target.read_text(encoding="utf-8"))
    for name, measure in (
        ("public_rules", lambda: public_rules(data)),
        ("planted_leaks", lambda: planted_leaks(1000)),
        ("clean_splits", lambda: clean_splits(1000)),
        ("audio_copies", lambda: audio_copies(data, 100)),
        ("image_copies", lambda: image_copies(data, 500)),
        ("video_copies", lambda: video_copies(data, 24)),
        ("times", lambda: times(data)),
        ("fer2013_duplicates", lambda: fer2013_duplicates(data)),
    ):
        if arguments.only and name not in arguments.only:
            continue
        started_s = time.process_time()
        result[name] = measure()
        print(f"{name} ({time.process_time() - started_s:.0f} s): {result[name]}", flush=True)
        write_json(target, result)


def public_rules(data: Path) -> dict[str, Any]:
    """Two rules from papers, on the list of 7,442 clips and the sexes of the actors."""
    tables = data / "cremad-metadata"
    with (tables / "SentenceFilenames.csv").open() as handle:
        names = [row["Filename"] for row in csv.DictReader(handle)]
    with (tables / "VideoDemographics.csv").open() as handle:
        sexes = {row["ActorID"]: row["Sex"] for row in csv.DictReader(handle)}
    random = np.random.default_rng(0)
    order = [names[place] for place in random.permutation(len(names))]
    actors = sorted(sexes)
    tested = set(random.permutation(actors)[: round(0.2 * len(actors))].tolist())
    rules = {
        "random 80/20 by clip": {
            name: place < 0.8 * len(names) for place, name in enumerate(order)
        },
        "80/20 by actor": {name: name[:4] not in tested for name in names},
    }
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for rule, in_train in rules.items():
            path = Path(folder) / "list.csv"
            with path.open("w", newline="") as handle:
                writer = csv.writer(handle)
                writer.writerow(["path", "split", "sex"])
                for name, train in in_train.items():
                    writer.writerow([f"{name}.wav", "train" if train else "test", sexes[name[:4]]])
            report = audit_split(read_listing([path]))
            found[rule] = {
                "clips": report.clips,
                "exit_code": report.exit_code,
                **{finding.kind: len(finding.subjects) for finding in report.findings},
            }
    return found


def planted_leaks(trials: int) -> dict[str, dict[str, int]]:
    """One leak per split; found if the kind, the fold and the subsets are right."""
    counts = {kind: {"planted": 0, "found": 0} for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(trials):
            kind = KINDS[seed % len(KINDS)]
            planted = plant(kind, seed)
            report = _audited(planted, Path(folder) / str(seed), seed)
            counts[kind]["planted"] += 1
            counts[kind]["found"] += any(
                finding.kind == kind
                and finding.fold == planted.fold + 1
                and (planted.cards or finding.subsets == planted.subsets)
                for finding in report.leaks
            )
    return counts


def clean_splits(trials: int) -> dict[str, Any]:
    """Splits without leaks."""
    alarms: Counter[str] = Counter()
    alarmed = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(trials):
            report = _audited(plant("clean", seed), Path(folder) / str(seed), seed)
            alarms.update({finding.kind for finding in report.leaks})
            alarmed += report.exit_code
    return {"clean": trials, "false_alarms": alarmed, "kinds": dict(alarms)}


def _audited(planted: Any, folder: Path, seed: int) -> AuditReport:
    if planted.cards:
        return audit_run(write_split(planted, folder, "run")[0])
    return audit_split(read_listing(write_split(planted, folder, FORMS[seed % len(FORMS)])))


def audio_copies(data: Path, count: int) -> dict[str, Any]:
    """Copies of RAVDESS files among all 1,200 of them, and reported pairs that are not copies."""
    originals = sorted((data / "ravdess").glob("Actor_*/03-*.flac"))
    random = np.random.default_rng(1)
    chosen = [originals[place] for place in random.choice(len(originals), count, replace=False)]
    return _copies(originals, chosen, AUDIO_KINDS, write_audio_copy, "audio")


def image_copies(data: Path, count: int) -> dict[str, Any]:
    """Copies of the test images of FER2013 among all 3,589 of them."""
    corpus = open_corpus(data / "fer2013.tar")
    originals = [clip.video for clip in corpus if clip.subset == "test" and clip.video]
    random = np.random.default_rng(2)
    chosen = [originals[place] for place in random.choice(len(originals), count, replace=False)]
    # The images have duplicates of their own, counted in fer2013_duplicates.
    found = _copies(originals, chosen, IMAGE_KINDS, write_image_copy, "images")
    found.pop("other_pairs")
    return found


def video_copies(data: Path, count: int) -> dict[str, Any]:
    """Copies of javanese-av videos, without audio, among all 192 of them."""
    originals = sorted((data / "javanese-av").glob("*.mp4"))
    random = np.random.default_rng(3)
    chosen = [originals[place] for place in random.choice(len(originals), count, replace=False)]
    return _copies(originals, chosen, VIDEO_KINDS, write_video_copy, "video")


def _copies(
    originals: list[Path], chosen: list[Path], kinds: tuple[str, ...], write: Any, field: str
) -> dict[str, Any]:
    files = {path.stem: ClipFiles(**{field: path}) for path in originals}
    source: dict[str, str] = {path.stem: path.stem for path in originals}
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate(kinds):
            for path in chosen:
                name = f"copy{number} of {path.stem}"
                files[name] = ClipFiles(**{field: write(path, Path(folder) / name, kind)})
                source[name] = path.stem
        matches = find_matches(files).found
    pairs = {(match.one, match.other) for match in matches}
    pairs |= {(other, one) for one, other in pairs}
    found = {
        kind: {
            "planted": len(chosen),
            "found": sum((f"copy{n} of {p.stem}", p.stem) in pairs for p in chosen),
        }
        for n, kind in enumerate(kinds)
    }
    unrelated = [match for match in matches if source[match.one] != source[match.other]]
    among = sorted({tuple(sorted((source[m.one], source[m.other]))) for m in unrelated})
    total = len(originals)
    return {
        "kinds": found,
        "originals": total,
        "pairs_of_originals": total * (total - 1) // 2,
        "other_pairs": [" = ".join(pair) for pair in among],
    }


def fer2013_duplicates(data: Path) -> dict[str, Any]:
    """Duplicates in the official subsets of FER2013."""
    corpus = open_corpus(data / "fer2013.tar")
    split = make_split(corpus, "official")
    report = audit_media(split, corpus)
    found: dict[str, Any] = {
        f"{finding.kind}: {' and '.join(finding.subsets)}": finding.message
        for finding in report.findings
        if finding.kind in ("shared-images", "doubles", "contradicting-labels")
    }
    subset_of = {clip.clip_id: clip.subset for clip in corpus}
    reached = {
        name
        for finding in report.findings
        if finding.kind == "shared-images" and set(finding.subsets) == {"train", "test"}
        for pair in finding.subjects
        for name in pair.split(" = ")
    }
    found["test images with a copy in train"] = sum(subset_of[name] == "test" for name in reached)
    found["exit_code"] = report.exit_code
    return found


def times(data: Path) -> dict[str, float]:
    """10,000 clips by name, in one fold and in ten; fingerprints relative to the duration."""
    names = [
        f"{1001 + n % 91}_{('DFA', 'IEO', 'ITS', 'WSI')[n // 91 % 4]}_{e}_{level}"
        for n in range(364)
        for e in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD", "SUR")
        for level in ("LO", "MD", "HI", "XX")
    ][:10_000]
    one = Split("x", "cremad", 0, (Fold(tuple(names[:8000]), (), tuple(names[8000:])),))
    tenths = [tuple(names[place::10]) for place in range(10)]
    folds = tuple(
        Fold(sum((tenths[k] for k in range(10) if k != n), ()), (), tenths[n]) for n in range(10)
    )
    measured = {"clips": float(len(names))}
    for words, split in (("one fold", one), ("ten folds", Split("x", "cremad", 0, folds))):
        measured[f"audit of names, {words} (s)"] = _fastest(lambda split=split: audit_split(split))
    paths = sorted((data / "ravdess").glob("Actor_0[1-5]/03-*.flac"))
    length_s = sum(len(audio_file_fingerprint(path).loud) for path in paths) * 0.016
    measured["audio fingerprints from FLAC files, times real time"] = length_s / _fastest(
        lambda: [audio_file_fingerprint(path) for path in paths]
    )
    videos = sorted((data / "javanese-av").glob("01-*.mp4"))
    video_s = sum(len(audio_file_fingerprint(path).loud) for path in videos) * 0.016
    measured["audio fingerprints from MP4 files, times real time"] = video_s / _fastest(
        lambda: [audio_file_fingerprint(path) for path in videos]
    )
    measured["video fingerprints (360 x 270, 30 per s), times real time"] = video_s / _fastest(
        lambda: [video_file_hash(path) for path in videos[:8]], 8 / len(videos)
    )
    return measured | _search_times()


def _search_times() -> dict[str, float]:
    """Search among up to 10,000 recordings of 3 s of noise bursts, to see how the time grows."""
    random = np.random.default_rng(0)
    found = {}
    for count in (2500, 10_000):
        prints = []
        for _ in range(count):
            bursts = np.repeat(random.gamma(0.5, 1.0, 60), SAMPLE_RATE_HZ // 20)
            prints.append(audio_fingerprint(random.standard_normal(bursts.size) * bursts * 0.1))
        started_s = time.process_time()
        pairs = find_audio_copies(prints)
        found[f"search among {count} audio clips of 3 s (s)"] = time.process_time() - started_s
        found[f"pairs found among them ({count})"] = float(len(pairs))
    return found


def _fastest(run: Any, share: float = 1.0) -> float:
    """The shortest of three runs, in seconds of one core, divided by `share`."""
    spans = []
    for _ in range(3):
        started_s = time.process_time()
        run()
        spans.append(time.process_time() - started_s)
    return min(spans) / share


if __name__ == "__main__":
    main()
