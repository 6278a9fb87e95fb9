"""Leaks found from names."""

import csv
import time
from pathlib import Path

import numpy as np

from aver.audit import Level, audit_split, read_listing
from aver.corpora import Clip, Corpus, combine, open_corpus
from aver.splits import Fold, Split, make_split
from aver.splits.split import leak_sentence


def split_of(train, test, validation=(), leaks=()):
    return Split(
        "by hand", "cremad", 0, (Fold(tuple(train), tuple(validation), tuple(test)),), leaks
    )


def kinds(report, level=None):
    return {finding.kind for finding in report.findings if level in (None, finding.level)}


def cremad(actor, emotion="ANG", sentence="DFA"):
    return f"{actor}_{sentence}_{emotion}_XX"


def cremad_names(data_root):
    with (data_root / "cremad-metadata" / "SentenceFilenames.csv").open() as handle:
        return [row["Filename"] for row in csv.DictReader(handle)]


def test_random_80_20_by_clip_of_cremad_shares_all_91_actors(data_root):
    names = cremad_names(data_root)
    order = np.random.default_rng(0).permutation(names).tolist()
    report = audit_split(split_of(order[:5954], order[5954:]))
    (leak,) = report.leaks
    assert leak.kind == "shared-speakers"
    assert set(leak.subjects) == {f"cremad:{actor}" for actor in {name[:4] for name in names}}
    assert len(leak.subjects) == 91
    assert report.exit_code == 1


def test_a_split_of_cremad_by_actor_has_no_leak(data_root):
    names = cremad_names(data_root)
    tested = {str(actor) for actor in range(1001, 1092, 5)}
    report = audit_split(
        split_of([n for n in names if n[:4] not in tested], [n for n in names if n[:4] in tested])
    )
    assert report.leaks == ()
    assert report.exit_code == 0


def test_speaker_kfold_is_clean_on_ravdess_and_random_leaks(data_root):
    corpus = open_corpus(data_root / "ravdess", "ravdess")
    clean = audit_split(make_split(corpus, "speaker-kfold"), corpus)
    assert clean.leaks == ()
    assert clean.verdict.startswith("no leak found")
    leaking = audit_split(make_split(corpus, "random"), corpus)
    assert kinds(leaking, Level.LEAK) == {"shared-speakers"}
    assert all(leak.declared for leak in leaking.leaks), "the rule says that it leaks"


def test_two_containers_of_one_performance_are_a_leak(data_root):
    report = audit_split(split_of(["01-01-05-01-02-01-12"], ["03-01-05-01-02-01-12"]))
    assert "shared-performances" in kinds(report, Level.LEAK)


def test_validation_equal_to_test_is_a_single_finding():
    clips = [cremad(1002), cremad(1003)]
    report = audit_split(
        split_of([cremad(1001)], clips, clips, leaks=(leak_sentence("validation-is-test"),))
    )
    (leak,) = report.leaks
    assert leak.kind == "validation-is-test"
    assert leak.declared


def test_imbalance_above_ten_points_gives_a_warning():
    def labelled(actor, sad, count=100):  # codespell:ignore
        return [
            f"{actor}_{chr(65 + n // 26)}{chr(65 + n % 26)}A_{'SAD' if n < sad else 'HAP'}_XX"
            for n in range(count)
        ]

    ten = audit_split(split_of(labelled(1001, 50), labelled(1002, 60)))  # codespell:ignore
    eleven = audit_split(split_of(labelled(1001, 50), labelled(1002, 61)))  # codespell:ignore
    assert "class-imbalance" not in kinds(ten)
    (warning,) = [finding for finding in eleven.findings if finding.kind == "class-imbalance"]
    assert warning.subjects == ("happy", "sad")
    assert eleven.exit_code == 0


def test_imbalance_of_the_sexes_is_found_from_names():
    men = [f"01-01-01-01-01-01-{actor:02d}" for actor in (1, 3, 5)]
    women = [f"01-01-01-01-01-01-{actor:02d}" for actor in (2, 4)]
    assert "sex-imbalance" in kinds(audit_split(split_of(men, women)), Level.WARNING)


def test_a_sentence_in_all_subsets_gives_a_note():
    report = audit_split(split_of([cremad(1001)], [cremad(1002)], [cremad(1003)]))
    assert "shared-sentences" in kinds(report, Level.NOTE)
    other = audit_split(split_of([cremad(1001)], [cremad(1002, sentence="IEO")]))
    assert "shared-sentences" not in kinds(other)


def test_untested_speakers_give_a_warning_with_several_folds():
    folds = (
        Fold((cremad(1001), cremad(1003)), (), (cremad(1002),)),
        Fold((cremad(1002), cremad(1003)), (), (cremad(1001),)),
    )
    report = audit_split(Split("by hand", "cremad", 0, folds))
    (warning,) = [finding for finding in report.findings if finding.kind == "untested-speakers"]
    assert warning.subjects == ("cremad:1003",)


def test_unknown_speakers_give_a_warning():
    report = audit_split(split_of(["a"], ["b"]))
    assert "unknown-speakers" in kinds(report, Level.WARNING)


def test_running_numbers_in_two_folders_are_different_clips():
    report = audit_split(split_of(["train/angry/im7"], ["test/angry/im7"]))
    assert report.leaks == ()
    named = audit_split(split_of(["train/anna_laughs"], ["test/anna_laughs"]))
    assert "shared-performances" in kinds(named, Level.LEAK)


def test_ten_thousand_clips_are_audited_within_two_seconds(tmp_path):
    names = [f"{1001 + n % 91}_D{n:04d}A_ANG_XX.wav" for n in range(10_000)]
    path = tmp_path / "split.csv"
    path.write_text(
        "path,speaker,subset\n"
        + "".join(
            f"{name},{name[:4]},{'test' if n % 91 < 9 else 'train'}\n"
            for n, name in enumerate(names)
        )
    )
    started_s = time.process_time()
    report = audit_split(read_listing([path]))
    assert time.process_time() - started_s < 2.0
    assert report.clips == 10_000
    assert report.leaks == ()


def test_declared_leaks_count_if_names_cannot_show_them():
    fold = Fold(("a-01", "b-02"), (), ("c-03",))
    declared = ("shared-speakers: speakers of the test clips are also in training.",)
    (leak,) = audit_split(Split("random", "mine", 0, (fold,), declared)).leaks
    assert (leak.kind, leak.declared, leak.subjects) == ("leaking-protocol", True, declared)
    named = Fold(("1001_DFA_ANG_XX",), (), ("1002_DFA_ANG_XX",))
    assert audit_split(Split("random", "cremad", 0, (named,), declared)).leaks == ()
    both = Fold(("1001_DFA_ANG_XX",), (), ("1001_IEO_ANG_XX",))
    (leak,) = audit_split(Split("random", "cremad", 0, (both,), declared)).leaks
    assert leak.kind == "shared-speakers"


def test_clips_of_joined_corpora_are_different_recordings_unless_their_names_are_public():
    names = ("take_one_sad", "take_two_happy")
    public = ("01-04-01-01-01-02", "01-03-01-01-01-02")
    for stems, leaks in ((names, ()), (public, ("shared-performances",))):
        corpora = {
            part: Corpus(
                "own",
                Path("/data") / part,
                tuple(
                    Clip(stem, "ann", e) for stem, e in zip(stems, ("sad", "happy"), strict=True)
                ),
            )
            for part in ("train", "test")
        }
        corpora["more"] = Corpus(
            "own", Path("/data/more"), (Clip("x", "bob", "sad"), Clip("y", "cid", "happy"))
        )
        joined = combine(corpora)
        split = make_split(joined, "cross-corpus", test="test")
        assert tuple(leak.kind for leak in audit_split(split, joined).leaks) == leaks
