"""Planted leaks are all found, and clean splits give no false alarm."""

import pytest

from aver.audit import audit_run, audit_split, read_listing
from planted_leaks import KINDS, plant, write_split

FORMS = ("jsonl", "csv", "records")


def audited(planted, folder, seed):
    if planted.cards:
        return audit_run(write_split(planted, folder, "run")[0])
    return audit_split(read_listing(write_split(planted, folder, FORMS[seed % 3])))


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_leak_is_found_in_its_place(kind, tmp_path):
    for seed in range(9):
        planted = plant(kind, seed)
        report = audited(planted, tmp_path / str(seed), seed)
        found = [finding for finding in report.leaks if finding.kind == kind]
        assert report.exit_code == 1
        assert {finding.fold for finding in found} == {planted.fold + 1}, (seed, planted.naming)
        if not planted.cards:
            assert planted.subsets in {finding.subsets for finding in found}


def test_a_clean_split_gives_no_false_alarm(tmp_path):
    for seed in range(40):
        report = audited(plant("clean", seed), tmp_path / str(seed), seed)
        assert report.leaks == (), seed
        assert report.exit_code == 0
