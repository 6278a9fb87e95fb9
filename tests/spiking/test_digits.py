"""The network of the how-to learns scikit-learn's digits, but not with permuted labels."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

HOW_TO = Path(__file__).parents[2] / "docs/how-to/diehl-cook-network.md"


@pytest.fixture(scope="module")
def blocks():
    """The code blocks of the how-to, as a reader would paste them."""
    return [part.split("```")[0] for part in HOW_TO.read_text().split("```python\n")[1:]]


@pytest.fixture(scope="module")
def session(blocks):
    """Names after the first block has run."""
    names: dict = {}
    exec(blocks[0], names)
    return names


def test_at_least_80_percent(session):
    assert session["accuracy"] >= 0.8


def test_permuted_training_labels_give_chance(blocks, session):
    """The training labels are permuted anew for each test image.

    A binomial interval needs independent predictions. With one permutation for all, the images of
    a class evoke spikes of the same neurons and are right or wrong together. With permutations of
    their own they are independent, and each is right with a probability of one in ten.
    """
    train, tested = session["train"], len(session["labels"]) - session["train"]
    voting = blocks[0][blocks[0].index("means = ") : blocks[0].index("accuracy = ")]
    correct = 0
    for image in range(tested):
        labels = session["labels"].copy()
        labels[:train] = np.random.default_rng(image).permutation(labels[:train])
        counts = session["counts"][[*range(train), train + image]]
        names = {**session, "labels": labels, "counts": counts}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a digit may name no neuron
            exec(voting, names)
        prediction = np.nan_to_num(names["votes"]).argmax(axis=0)[0]
        correct += prediction == session["labels"][train + image]
    low, high = stats.binom.interval(0.999, tested, 0.1)
    assert low <= correct <= high


def test_the_other_blocks_run(blocks, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = session["network"].weights("pixels->layer")
    for block in blocks[1:]:
        exec(block, session)
    assert Path("weights.png").stat().st_size > 1000
    assert np.array_equal(before, session["network"].weights("pixels->layer"))
