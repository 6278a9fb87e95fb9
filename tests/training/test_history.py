"""A training that ends too early, or that does not learn its own clips, is reported."""

from __future__ import annotations

from aver.training.history import History, remarks_on_trainings


def course(losses: list[float], accuracy: float = 0.9, stopped_early: bool = False) -> History:
    epochs = tuple(
        {"epoch": n, "validation_loss": loss, "training_accuracy": accuracy}
        for n, loss in enumerate(losses, 1)
    )
    return History(epochs, losses.index(min(losses)) + 1, stopped_early)


FALLING = [2.0 * 0.9**epoch for epoch in range(20)]
FLAT = [*FALLING[:10], *[FALLING[9]] * 10]


def test_a_loss_that_still_falls_was_stopped_too_early() -> None:
    assert course(FALLING).still_improving
    assert not course(FLAT).still_improving
    assert not course(FALLING, stopped_early=True).still_improving
    assert not course([1.0]).still_improving


def test_clips_that_were_trained_on_do_not_tell_whether_to_train_longer() -> None:
    assert "still_improving" not in course(FALLING).facts(held_out=False)
    assert course(FALLING).facts(held_out=True)["still_improving"]


def test_remarks_count_the_trainings() -> None:
    cards = [
        course(FALLING, 0.3).facts(held_out=True),
        course(FLAT, 0.4).facts(held_out=True),
        course(FLAT, 0.6).facts(held_out=True),
        {},  # a classifier without epochs
    ]
    assert remarks_on_trainings(cards) == (
        "Training accuracy below 50 %: underfits (35 %, in 2 of 3 trainings).",
        "Still improving when training stopped (in 1 of 3 trainings): raise training.epochs.",
    )
    assert remarks_on_trainings(cards[2:]) == ()
