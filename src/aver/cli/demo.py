"""`aver demo`: synthesize a corpus, train, evaluate, report and predict."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path

from aver.cli.arguments import Command, add_workers_argument, print_path


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo-run"),
        metavar="DIR",
        help="folder for everything that it writes",
    )
    add_workers_argument(parser)


def _run(arguments: Namespace) -> int:
    from aver.api import evaluate, predict
    from aver.corpora import open_corpus
    from aver.features.store import FeatureStore
    from aver.reports.predictions import as_table
    from aver.reports.run_report import describe_run
    from aver.splits import make_split
    from aver.synthesis.corpus import synthesize
    from aver.synthesis.settings import SynthesisSettings

    out: Path = arguments.out
    store = FeatureStore(out / "cache")
    print("1. Synthesizing a corpus of emotional speech: rendered faces, synthetic voices.")
    synthesize(out / "corpus", SynthesisSettings(speakers=8), workers=arguments.workers)
    corpus = open_corpus(out / "corpus", "synthetic")
    print(
        f"   {len(corpus)} clips, {len(corpus.speakers)} speakers, {len(corpus.classes)} emotions."
    )
    print("2. Making a speaker-independent split, extracting features, training, testing.")
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
    print("3. Predicting clips as `aver predict` does; their speaker was not in the training data.")
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
    summary="Synthesize a corpus, train, evaluate, report and predict.",
    example="aver demo --out demo-run",
    add_arguments=_add_arguments,
    run=_run,
)
