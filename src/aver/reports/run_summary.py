"""The result of a run in sentences: accuracy, comparisons, leaks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from aver.audit.finding import counted
from aver.evaluation.cross_corpus import crosses_corpora, results_by_corpus
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import Interval
from aver.evaluation.metrics import unweighted_recall
from aver.evaluation.paired import PairedComparison
from aver.evaluation.summary import Summary
from aver.execution.files import without_folders
from aver.reports.run_tables import format_p, notes_on_power
from aver.reports.table import MINUS


def summary_in_words(
    evaluation: Evaluation,
    summary: Summary,
    comparisons: Sequence[tuple[PairedComparison, float]],
) -> tuple[str, ...]:
    """Sentences at the head of a report.

    Parameters
    ----------
    evaluation : Evaluation
    summary : Summary
        Of the same evaluation.
    comparisons : sequence of (PairedComparison, corrected p)
        With the other runs.
    """
    sentences = [
        _accuracy_sentence(evaluation, summary.metrics["accuracy"]),
        _corpora_sentence(evaluation),
        *(_comparison_sentence(comparison, p) for comparison, p in comparisons),
        *notes_on_power(comparisons),
        _range_sentence(summary, evaluation.knows_speakers),
        _flag_sentence(evaluation),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def verdict_in_words(evaluation: Evaluation) -> tuple[str, ...]:
    """Whether the split leaks, as it declares and as the audit found, and what else to know."""
    facts = evaluation.facts
    further = [*_pretrained_sentences(evaluation)]
    if facts.get("audit"):
        further.insert(0, f"Audit before training: {facts['audit']}.")
    if facts.get("adaptation"):
        adapted = f"The system {facts['adaptation']}; compare it only with systems that do so too."
        further.insert(0, adapted)
    unknown = evaluation.clips_of_unknown_speakers
    first: tuple[str, ...]
    if evaluation.leaks:
        first = (
            "These figures do not show how well new speakers are recognized: the protocol shares "
            "information between training and test.",
            *evaluation.leaks,
        )
    elif unknown and not crosses_corpora(evaluation):
        first = (
            f"The speaker of {counted(unknown, 'tested clip')} of {evaluation.clip_count} is "
            "unknown. Such a speaker may be in two subsets of a fold; the figures then do not show "
            "how well new speakers are recognized.",
        )
    else:
        first = (
            "No speaker is in two subsets of a fold, and all choices were made without the test "
            "speakers. A split that shares a speaker without declaring it is an error.",
        )
        if crosses_corpora(evaluation):
            first += (
                "No clip of a test corpus was used before: all choices were made on validation "
                "speakers of the training corpora.",
            )
    return (*first, *further)


def _pretrained_sentences(evaluation: Evaluation) -> list[str]:
    sentences = []
    for one in evaluation.facts.get("pretrained", ()):
        corpora = ", ".join(one["trained_on"] or ())
        origin = f"trained on {corpora}" if corpora else "whose training data are not stated"
        name = without_folders(one["weights"])
        sentences.append(f"Uses pretrained weights {name}, {origin} (SHA-256 {one['sha256']}).")
    return sentences


def _accuracy_sentence(evaluation: Evaluation, accuracy: Interval) -> str:
    seeds, chance = len(evaluation.seed_values), 1 / len(evaluation.classes)
    mean = f"; mean over {seeds} seeds" if seeds > 1 else ""
    bounds = _bounds(accuracy, evaluation)
    sentence = (
        f"{evaluation.system} predicts {_percent(accuracy.value)} % of {evaluation.clip_count} "
        f"clips correctly ({bounds}{mean}). Chance among {len(evaluation.classes)} classes is "
        f"{_percent(chance)} %."
    )
    if accuracy.high is not None and accuracy.high < chance:
        sentence += " The accuracy is below chance."
    elif accuracy.low is not None and accuracy.low <= chance:
        sentence += " The interval includes chance: the accuracy is not significantly above it."
    return sentence


def _bounds(accuracy: Interval, evaluation: Evaluation) -> str:
    knows_speakers = evaluation.knows_speakers
    if accuracy.low is None or accuracy.high is None:
        if accuracy.speakers == 1 and knows_speakers:
            return "no interval: there is only one speaker"
        speakers = Counter(evaluation.speaker_corpora)
        alone = [name for name, count in speakers.items() if count == 1]
        return f"no interval: {alone[0]} has only one speaker" if alone else "no interval"
    interval = f"95 % interval {_percent(accuracy.low)} to {_percent(accuracy.high)}"
    if accuracy.method == "binomial":
        return f"{interval} over clips, too narrow: all speakers have the same accuracy"
    if not knows_speakers:
        return (
            f"{interval} over clips, because the speakers are unknown; too narrow if a speaker "
            "has several clips"
        )
    corpora = len(set(evaluation.speaker_corpora))
    within = f" within {corpora} corpora" if corpora else ""
    return f"{interval} over {accuracy.speakers} speakers{within}"


def _corpora_sentence(evaluation: Evaluation) -> str:
    """The figure of each test corpus, if several are pooled; a range of its several figures."""
    figures: dict[str, list[float]] = {}
    for result in results_by_corpus(evaluation):
        recall = unweighted_recall(result.evaluation).value
        figures.setdefault(result.tested, []).append(recall)
    if len(figures) < 2:
        return ""
    shown = [
        f"{name} {' to '.join(dict.fromkeys((_percent(min(found)), _percent(max(found)))))} %"
        for name, found in figures.items()
    ]
    return f"That pools several corpora. Unweighted recall by test corpus: {', '.join(shown)}."


def _comparison_sentence(comparison: PairedComparison, corrected: float) -> str:
    difference = 100 * comparison.difference.value
    p = format_p(corrected)
    p = f"p {p}" if p.startswith("<") else f"p = {p}"
    verdict = comparison.verdict(corrected)
    if verdict != "not significantly different":
        return (
            f"It is {verdict} than {comparison.second} by {abs(difference):.1f} points ({p}, "
            "permutation of whole speakers, corrected for the number of comparisons)."
        )
    signed = f"{difference:+.1f}".replace("-", MINUS)
    clusters = f"{comparison.speakers} {'speakers' if comparison.knows_speakers else 'clips'}"
    detectable = (
        ""
        if math.isnan(comparison.detectable)
        else f"; minimum detectable difference with these {clusters}: "
        f"{100 * comparison.detectable:.1f} points"
    )
    return (
        f"It is not significantly different from {comparison.second} ({signed} points, "
        f"{p}, corrected for the number of comparisons{detectable})."
    )


def _range_sentence(summary: Summary, knows_speakers: bool) -> str:
    recalls = {label: r.value for label, r in summary.recall.items() if not math.isnan(r.value)}
    worst, best = min(recalls, key=recalls.__getitem__), max(recalls, key=recalls.__getitem__)
    sentence = (
        f"Highest recall: {best} ({_percent(recalls[best])} %); "
        f"lowest: {worst} ({_percent(recalls[worst])} %)."
    )
    accuracies = summary.speaker_accuracy
    if knows_speakers and len(accuracies) > 1:
        low = min(accuracies, key=accuracies.__getitem__)
        high = max(accuracies, key=accuracies.__getitem__)
        sentence += (
            f" The accuracy by speaker ranges from {_percent(accuracies[low])} % ({low}) to "
            f"{_percent(accuracies[high])} % ({high})."
        )
    return sentence


def _flag_sentence(evaluation: Evaluation) -> str:
    clips: dict[str, set[str]] = {}
    for clip_id, flags in zip(evaluation.clip_ids, evaluation.flags, strict=True):
        for flag in flags:
            clips.setdefault(flag, set()).add(clip_id)
    counts = Counter({flag: len(flagged) for flag, flagged in clips.items()})
    shown = [f"{flag} ({count})" for flag, count in counts.most_common(5)]
    return f"Flagged clips: {', '.join(shown)}." if shown else ""


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
