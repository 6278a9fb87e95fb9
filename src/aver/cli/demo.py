"""`aver demo`: the whole trip on a corpus that is made on the spot."""

from __future__ import annotations

import shlex
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import Command, print_path
from aver.execution.tasks import usable_cores


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("demo-run"), help="folder for everything it makes"
    )
    parser.add_argument("--workers", type=int, default=usable_cores(), metavar="N")


def _run(arguments: Namespace) -> int:
    from aver.api import evaluate, predict
    from aver.cli.predict import as_table
    from aver.corpora import open_corpus
    from aver.features.store import FeatureStore
    from aver.reports.run_report import describe_run
    from aver.splits import make_split
    from aver.synthesis.corpus import synthesize
    from aver.synthesis.settings import SynthesisSettings

    out: Path = arguments.out
    store = FeatureStore(out / "cache")
    print("1. Synthesising filmed emotional speech: rendered faces, synthetic voices.")
    synthesize(out / "corpus", SynthesisSettings(speakers=8), workers=arguments.workers)
    corpus = open_corpus(out / "corpus", "synthetic")
    print(
        f"   {len(corpus)} clips, {len(corpus.speakers)} speakers, {len(corpus.classes)} emotions."
    )
    print("2. Splitting it so that no speaker is in two parts; tracking faces; training; testing.")
    split = make_split(corpus, "speaker-kfold", folds=4)
    results = evaluate(
        corpus,
        "mrpn-compact",
        out=out / "run",
        split=split,
        store=store,
        workers=arguments.workers,
        command=shlex.join(["aver", "demo", "--out", str(out)]),
    )
    print(describe_run(tuple(result.evaluation for result in results)))
    print("3. Answering for clips as `aver predict` does, with a model that never saw the speaker.")
    unseen = corpus.select(split.folds[0].test[:3])
    predictions = predict(
        [clip.video for clip in unseen if clip.video is not None],
        out / "run" / "folds" / "seed-0" / "fold-00" / "checkpoint",
        store=store,
    )
    print(as_table(predictions))
    print_path(out / "run" / "report.html")
    return 0


COMMAND = Command(
    name="demo",
    summary="Make a corpus, train, evaluate and report: the whole trip in a few minutes.",
    example="aver demo --out demo-run",
    add_arguments=_add_arguments,
    run=_run,
)
