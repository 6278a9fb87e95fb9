"""What is said of runs beside their figures: their data, and why they differ from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aver.audit.shared import pair_words
from aver.evaluation.evaluation import Evaluation


def describe_data(evaluation: Evaluation) -> str:
    """Corpus, clips, speakers and classes in one phrase, as every title needs it."""
    seeds = len(evaluation.seed_values)
    return (
        f"{_name_of(evaluation)}: {pair_words(evaluation.clip_count, 'clip')}, "
        f"{speakers_in_words(evaluation)}, {pair_words(seeds, 'seed')}, "
        f"{len(evaluation.classes)} classes ({', '.join(evaluation.classes)})"
    )


def speakers_in_words(evaluation: Evaluation) -> str:
    """How many speakers were tested, as far as anybody knows."""
    unknown = evaluation.clips_of_unknown_speakers
    if not evaluation.knows_speakers:
        return "speakers unknown"
    known = pair_words(len(evaluation.speaker_ids) - unknown, "speaker")
    return f"{known} and {pair_words(unknown, 'clip')} of unknown ones" if unknown else known


def _name_of(evaluation: Evaluation) -> str:
    """The corpus; by its title where many corpora share a reader."""
    if evaluation.corpus != "manifest":
        return evaluation.corpus
    return str(evaluation.facts.get("corpus_title", evaluation.corpus))


def run_notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """What to say of runs in one table that differ in clips or classes, or from their settings.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The first is what the others stand beside.
    """
    first = evaluations[0]
    runs = (first, *(by_protocol(first, other) for other in evaluations[1:]))
    notes = _remarks(runs)
    for run in runs:
        lost = int(run.facts.get("left_out_clips", 0))
        if lost:
            notes.append(
                f"{run.system}: {pair_words(lost, 'clip')} left out that not every part could use."
            )
        if run.clip_count != first.clip_count:
            notes.append(f"{run.system}: over {pair_words(run.clip_count, 'clip')}.")
        why = incomparable(first, run)
        if why:
            notes.append(f"{run.system} is not compared with {first.system}: {why}.")
    return notes


def _remarks(runs: Sequence[Evaluation]) -> list[str]:
    """Each remark once, with the systems it is about, or those few that it is not about."""
    about: dict[str, list[str]] = {}
    for run in runs:
        for remark in run.facts.get("remarks", ()):
            about.setdefault(remark, []).append(run.system)
    notes = []
    for remark, systems in about.items():
        others = [run.system for run in runs if run.system not in systems]
        who = "; ".join(systems)
        if len(systems) > max(1, len(others)):
            who = "all but " + "; ".join(others) if others else "all systems"
        notes.append(f"{who}: {remark}")
    return notes


def by_protocol(first: Evaluation, other: Evaluation) -> Evaluation:
    """The other run, its protocol in its name where it is of another kind than the first's."""
    if bool(other.leaks) == bool(first.leaks):
        return other
    protocol = "paper protocol, LEAKS" if other.leaks else "clean protocol"
    return replace(other, system=f"{other.system} ({protocol})")


def incomparable(first: Evaluation, other: Evaluation) -> str:
    """Why two runs cannot be compared clip by clip; empty where they can."""
    if first.classes != other.classes:
        return "it tells other classes apart"
    return "" if set(first.clip_ids) & set(other.clip_ids) else "they have no clip in common"
