"""A run in plain words: what came out, against what, and what it can be trusted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aver.audit.finding import counted
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import Interval
from aver.evaluation.paired import PairedComparison
from aver.evaluation.summary import Summary
from aver.execution.files import without_folders
from aver.reports.run_tables import out_of_reach, show_p


def summary_in_words(
    evaluation: Evaluation,
    summary: Summary,
    comparisons: Sequence[tuple[PairedComparison, float]],
) -> tuple[str, ...]:
    """Sentences for the head of a report.

    Parameters
    ----------
    evaluation : Evaluation
    summary : Summary
        Of the same evaluation.
    comparisons : sequence of (PairedComparison, corrected p)
        With the runs beside it.

    Returns
    -------
    tuple of str
    """
    sentences = [_headline(evaluation, summary.metrics["accuracy"])]
    sentences += out_of_reach(comparisons)
    sentences += [_compared(found, p) for found, p in comparisons]
    sentences.append(_weakest(summary, evaluation.knows_speakers))
    flags = _flags(evaluation)
    return tuple([*sentences, flags] if flags else sentences)


def verdict_in_words(evaluation: Evaluation) -> tuple[str, ...]:
    """What the split shares between its parts, by its own account and by the audit's."""
    audit = evaluation.facts.get("audit")
    found = (f"Audit before training: {audit}.",) if audit else ()
    adapted = evaluation.facts.get("adaptation")
    if adapted:
        found = (f"The system {adapted}; do not put it beside systems that do not.", *found)
    found = (*found, *_pretrained(evaluation))
    if evaluation.leaks:
        return (
            "These figures say how well known speakers or chosen test clips are "
            "recognised, not how well new people would be.",
            *evaluation.leaks,
            *found,
        )
    unknown = evaluation.clips_of_unknown_speakers
    if unknown:
        which = f"{counted(unknown, 'tested clip')} of {evaluation.clip_count}"
        return (
            f"Nobody knows who speaks in {which}: such speakers may be in two parts of a fold, and "
            "the figures may say how well known people are recognised.",
            *found,
        )
    return (
        "No speaker is in two parts of a fold, and every choice was made without the test "
        "speakers. A split with a speaker on two sides that does not say so is refused.",
        *found,
    )


def _pretrained(evaluation: Evaluation) -> tuple[str, ...]:
    """Weights that were learnt elsewhere, and from what; of the last name of a path only."""
    sentences = []
    for one in evaluation.facts.get("pretrained", ()):
        taught = ", ".join(one["trained_on"] or ())
        from_what = f"trained on {taught}" if taught else "which do not say what they learnt from"
        name = without_folders(one["weights"])
        sentences.append(f"Uses pretrained weights {name}, {from_what} (SHA-256 {one['sha256']}).")
    return tuple(sentences)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _p(p: float) -> str:
    shown = show_p(p)
    return shown if shown.startswith("<") else f"= {shown}"


def _range(found: Interval, knows_speakers: bool) -> str:
    if found.low is None or found.high is None:
        alone = found.speakers == 1
        return f"{'one speaker, so ' if alone and knows_speakers else ''}no interval can be given"
    if found.method == "binomial":
        return (
            f"95 % interval {_percent(found.low)} to {_percent(found.high)} over clips, an "
            "optimistic one: all speakers score alike"
        )
    over = f"{found.speakers} speakers"
    if not knows_speakers:
        over = "clips, as if each had a speaker of its own: nobody knows who speaks"
    return f"95 % interval {_percent(found.low)} to {_percent(found.high)} over {over}"


def _headline(evaluation: Evaluation, found: Interval) -> str:
    seeds = len(evaluation.seed_values)
    mean = f", mean over {seeds} seeds" if seeds > 1 else ""
    chance = 1 / len(evaluation.classes)
    over = _range(found, evaluation.knows_speakers)
    said = (
        f"{evaluation.system} answers {_percent(found.value)} % of {evaluation.clip_count} clips "
        f"right ({over}{mean}). Guessing among {len(evaluation.classes)} classes gives "
        f"{_percent(chance)} %."
    )
    if found.high is not None and found.high < chance:
        said += " That is below guessing."
    elif found.low is not None and found.low <= chance:
        said += " The interval includes guessing: nothing has been shown."
    return said


def _compared(found: PairedComparison, corrected: float) -> str:
    points = 100 * found.difference.value
    verdict = found.verdict(corrected)
    if verdict == "not significantly different":
        of = "speakers" if found.knows_speakers else "clips"
        smallest = (
            f"; the minimum detectable difference with these {found.speakers} {of} is "
            f"{100 * found.detectable:.1f} points"
            if found.detectable == found.detectable  # not NaN
            else ""
        )
        return (
            f"It is not significantly different from {found.second} ({points:+.1f} points, "
            f"p {_p(corrected)}{smallest})."
        )
    return (
        f"It is {verdict} than {found.second} by {abs(points):.1f} points (p {_p(corrected)}, "
        "swapping whole speakers, corrected for the number of comparisons)."
    )


def _weakest(summary: Summary, knows_speakers: bool) -> str:
    tested = {label: r.value for label, r in summary.recall.items() if r.value == r.value}
    worst = min(tested, key=lambda label: tested[label])
    best = max(tested, key=lambda label: tested[label])
    speakers = summary.speaker_accuracy
    said = (
        f"Best recognised: {best} ({_percent(tested[best])} %); "
        f"least: {worst} ({_percent(tested[worst])} %)."
    )
    if knows_speakers and len(speakers) > 1:
        low = min(speakers, key=lambda speaker: speakers[speaker])
        high = max(speakers, key=lambda speaker: speakers[speaker])
        said += (
            f" Speakers range from {_percent(speakers[low])} % ({low}) to "
            f"{_percent(speakers[high])} % ({high})."
        )
    return said


def _flags(evaluation: Evaluation) -> str:
    clips: dict[str, set[str]] = {}
    for clip_id, flags in zip(evaluation.clip_ids, evaluation.flags, strict=True):
        for flag in flags:
            clips.setdefault(flag, set()).add(clip_id)
    counts = Counter({flag: len(found) for flag, found in clips.items()})
    told = [f"{flag} ({count})" for flag, count in counts.most_common(5)]
    return f"Flagged clips: {', '.join(told)}." if told else ""
