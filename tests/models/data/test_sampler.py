"""Batches of clips: order, pairing across clips, slices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from aver.models.data.clip_features import ClipFeature
from aver.models.data.sampler import ClipSampler, FrameRule, random_slice, spread


def sampler(**changes):
    """Ten clips of two tracks; each frame holds its clip's number."""
    frames = tuple(torch.full((4 + clip, 1), float(clip)) for clip in range(10))
    plain = ClipFeature(frames, np.ones(10), ((),) * 10)
    lacking = ClipFeature((*frames[:9], None), np.ones(10), ((),) * 10)
    made = ClipSampler(
        frames={"video": plain, "audio": lacking},
        rules={"video": FrameRule(3, 0), "audio": FrameRule(3, 2)},
        labels={"emotion": torch.tensor([0, 1] * 5)},
        batch_size=4,
    )
    return replace(made, **changes)


def owners(sequences):
    """The clip that each clip's frames come from; None where there are none."""
    parts = iter(sequences.frames.split(list(sequences.lengths)))
    return [int(next(parts)[0]) if there else None for there in sequences.present]


def test_an_epoch_has_every_clip_once_in_batches_of_equal_size():
    batches = list(sampler().training(torch.Generator().manual_seed(0)))
    assert sorted(batch.clips for batch in batches) == [3, 3, 4]
    seen = [owner for batch in batches for owner in owners(batch.inputs["video"])]
    assert sorted(seen) == list(range(10))
    assert seen != list(range(10))
    for batch in batches:
        expected = [owner % 2 for owner in owners(batch.inputs["video"])]
        assert batch.labels["emotion"].tolist() == expected
        # Without pairing, both modalities are of the same clip.
        for one, other in zip(*(owners(batch.inputs[m]) for m in ("video", "audio")), strict=True):
            assert other == one if one != 9 else other is None


def test_pairing_takes_the_audio_of_another_clip_of_the_class():
    paired = sampler(pair_by=torch.tensor([0, 1] * 5))
    generator = torch.Generator().manual_seed(0)
    lent = set()
    for _ in range(30):
        for batch in paired.training(generator):
            pairs = zip(*(owners(batch.inputs[m]) for m in ("video", "audio")), strict=True)
            for video, audio in pairs:
                assert (audio is None) == (video == 9)
                if audio is not None:
                    assert audio % 2 == video % 2
                    lent.add((video, audio))
    assert {audio for video, audio in lent if video == 0} == {0, 2, 4, 6, 8}


def test_evaluation_is_not_random():
    one, other = (list(sampler().evaluation()) for _ in range(2))
    assert [batch.clips for batch in one] == [4, 4, 2]
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a.inputs["audio"].frames, b.inputs["audio"].frames)
    assert one[0].inputs["video"].lengths == (4, 5, 6, 7)  # whole
    assert one[0].inputs["audio"].lengths == (2, 2, 2, 2)  # at most two, by the rule


def test_slices_last_at_least_a_second_and_cover_the_clip():
    generator = torch.Generator().manual_seed(0)
    drawn = [random_slice(9, 6, generator) for _ in range(500)]
    assert {stop - start for start, stop in drawn} == {6, 7, 8, 9}
    assert {start for start, _ in drawn} == {0, 1, 2, 3}
    assert all(start >= 0 and stop <= 9 for start, stop in drawn)
    assert random_slice(4, 6, generator) == (0, 4)


def test_frames_are_spread_one_from_each_part():
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        taken = spread(3, 27, 8, generator)
        assert ((taken - 3) // 3).tolist() == list(range(8))
    assert spread(0, 3, 8).tolist() == [0, 1, 2]
