"""Reports as text, JSON, SARIF and JUnit XML."""

import json
from dataclasses import replace
from string import ascii_letters, digits
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from aver.audit import KINDS, Level, audit_split, read_listing
from aver.splits import Fold, Split

LEVELS = {Level.LEAK: "error", Level.WARNING: "warning", Level.NOTE: "note"}


@pytest.fixture
def report():
    folds = (
        Fold(("1001_DFA_ANG_XX", "1002_DFA_ANG_XX"), (), ("1001_IEO_SAD_XX",)),
        Fold(("1001_IEO_SAD_XX",), (), ("1002_DFA_ANG_XX", "1001_DFA_ANG_XX")),
    )
    return audit_split(Split("by <hand> & eye", "cremad", 0, folds))


def test_sarif_names_rules_levels_and_the_file(report):
    (run,) = json.loads(report.sarif())["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(KINDS)
    assert len(run["results"]) == len(report.findings)
    for result, finding in zip(run["results"], report.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.kind
        assert result["level"] == LEVELS[finding.level]
        assert finding.message in result["message"]["text"]


def test_junit_fails_for_leaks_only(report):
    root = ElementTree.fromstring(report.junit())
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == set(KINDS)
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == {finding.kind for finding in report.leaks} == {"shared-speakers"}
    assert root.get("failures") == "1"
    assert root.find("testsuite").get("name") == "by <hand> & eye"


def test_junit_skips_what_was_not_looked_for(report):
    def skipped(found):
        cases = ElementTree.fromstring(found.junit()).iter("testcase")
        return {case.get("name") for case in cases if case.find("skipped") is not None}

    media = {"shared-audio", "shared-images", "contradicting-labels", "doubles"}
    record = {"fitted-beyond-training", "test-labels-used", "no-record"}
    assert skipped(report) == media | record | {"unreadable-media"}
    assert skipped(report.with_findings((), ["audio of 3 clips"])) == record | {"shared-images"}
    assert skipped(report.with_findings((), ["2 records"])) == media | {"unreadable-media"}
    root = ElementTree.fromstring(report.junit())
    assert root.get("skipped") == str(len(skipped(report)))


def test_sarif_has_what_its_schema_requires(tmp_path):
    """The required members of SARIF 2.1.0, and addresses that are none of a machine's folders."""
    for subset, name in (("train", "1001_DFA_ANG_XX"), ("test", "1001_IEO_ANG_XX")):
        (tmp_path / f"my {subset}.txt").write_text(name)
    audited = audit_split(read_listing(sorted(tmp_path.glob("*.txt"))))
    relative = replace(audited, files=("my lists/train.txt", "my lists/test 100%.txt"))
    for report in (audited, relative, replace(audited, files=())):
        document = json.loads(report.sarif())
        assert document["version"] == "2.1.0"
        assert urlsplit(document["$schema"]).scheme == "https"
        (run,) = document["runs"]
        assert run["tool"]["driver"]["name"]
        assert all(
            rule["id"] and rule["shortDescription"]["text"]
            for rule in run["tool"]["driver"]["rules"]
        )
        for result in run["results"]:
            assert result["message"]["text"]
            assert result["level"] in ("error", "warning", "note")
            for location in result["locations"]:
                place = location["physicalLocation"]
                assert place["region"]["startLine"] >= 1
                uri = place["artifactLocation"]["uri"]
                assert set(uri) <= set(ascii_letters + digits + "-._~:/?#[]@!$&'()*+,;=%")
    (result, *_) = json.loads(relative.sarif())["runs"][0]["results"]
    places = [place["physicalLocation"]["artifactLocation"]["uri"] for place in result["locations"]]
    assert places == ["my%20lists/train.txt", "my%20lists/test%20100%25.txt"]
    assert "file:///" in audited.sarif()


def test_the_verdict_mentions_unknown_speakers():
    told = audit_split(Split("x", "x", 0, (Fold(("a_b",), (), ("c_d",)),))).verdict
    assert told.startswith("no leak found, but speakers are unknown, ")
    some = audit_split(Split("x", "x", 0, (Fold(("a_b",), (), ("1001_DFA_ANG_XX",)),))).verdict
    assert some.startswith("no leak found, but some speakers are unknown, ")


def test_json_holds_every_subject(report):
    value = json.loads(report.json())
    assert value["counts"]["leak"] == len(report.leaks) == 2
    assert value["exit_code"] == 1
    assert value["findings"][0]["subjects"] == ["cremad:1001"]
    assert value["findings"][0]["fold"] == 1


def test_undeclared_leaks_are_one_sentence_per_kind(report):
    (sentence,) = report.undeclared
    assert sentence.startswith(
        "shared-speakers: 1 speaker of train also in test. This holds in 2 places."
    )
    folds = (Fold(("1001_DFA_ANG_XX", "1002_DFA_ANG_XX"), (), ("1001_DFA_ANG_XX_aug1",)),)
    split = Split("by hand", "cremad", 0, folds, ("shared-speakers: one actor is on both sides.",))
    (sentence,) = audit_split(split).undeclared
    assert sentence.startswith("derived-copies: ")


def test_the_text_has_meaning_and_advice(report):
    text = report.text()
    kind = KINDS["shared-speakers"]
    assert kind.meaning in text
    assert kind.advice in text
    assert text.strip().endswith(report.verdict)
    assert "2 folds, first fold 1: 1 speaker of train also in test." in text


def test_worst_comes_first(report):
    order = [list(Level).index(finding.level) for finding in report.findings]
    assert order == sorted(order)


def test_control_characters_do_not_break_the_xml():
    fold = Fold(("anna\x07 laughs.wav",), (), ("anna\x07 laughs.mp4",))
    ElementTree.fromstring(audit_split(Split("x", "x", 0, (fold,))).junit())
