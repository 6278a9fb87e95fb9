"""Segments as in the paper: equal parts, a frame in each, a window around the frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest

from aver.models.data.clip_features import ClipFeature
from aver.models.temporal_aggregation.segments import (
    Audio,
    Images,
    SegmentBatch,
    SegmentRule,
    SegmentSampler,
    draw_frames,
    nearest_found,
    segment_edges,
    window_starts,
)

RULE = SegmentRule(segments=4, window_s=0.8, column_count=8, asynchrony_s=0.1)  # grid 25 ms


def clip_pair(frames: int = 20, found: list[int] | None = None, duration_s: float = 4.0):
    """Frame k shows the number k; moment m of the sound holds the number m."""
    crops = torch.arange(frames, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    has = torch.ones(frames, dtype=torch.bool)
    if found is not None:
        has = torch.tensor([frame in found for frame in range(frames)])
    moments = 1 + round(duration_s / RULE.grid_s)
    columns = torch.arange(moments, dtype=torch.float16)[:, None].expand(-1, 3)
    times_s = torch.arange(frames, dtype=torch.float64) * 0.2
    return Images(crops, times_s, has), Audio(columns, duration_s)


def sampler(pairs, rule: SegmentRule = RULE) -> SegmentSampler:
    count = len(pairs)
    return SegmentSampler(
        labels={"emotion": torch.zeros(count).long()},
        batch_size=16,
        clip_ids=tuple(f"clip-{k}" for k in range(count)),
        loaded={
            modality: ClipFeature(tuple(values), np.ones(count), ((),) * count)
            for modality, values in zip(("video", "audio"), zip(*pairs, strict=True), strict=True)
        },
        rule=rule,
    )


def frames_of(batch: SegmentBatch) -> torch.Tensor:
    return batch.inputs["video"][..., 0, 0, 0].long()  # (clips, segments)


def first_moments_of(batch: SegmentBatch) -> torch.Tensor:
    return batch.inputs["audio"][..., 0, 0, 0].double()  # (clips, segments)


@pytest.mark.parametrize(("frames", "segments"), [(20, 4), (10, 10), (23, 10), (11, 3), (5, 1)])
def test_segments_cover_all_frames_and_are_equal(frames, segments):
    edges = segment_edges(frames, segments)
    sizes = (edges[1:] - edges[:-1]).tolist()
    assert (edges[0], edges[-1], len(sizes)) == (0, frames, segments)
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1


def test_frames_are_drawn_uniformly_from_their_segments():
    edges = segment_edges(23, 4)
    places = torch.rand(4000, 4, generator=torch.Generator().manual_seed(1))
    drawn = torch.stack([draw_frames(edges, row) for row in places])
    for segment in range(4):
        first, behind = int(edges[segment]), int(edges[segment + 1])
        counts = torch.bincount(drawn[:, segment], minlength=23)
        assert counts[first:behind].sum() == 4000
        assert chisquare(counts[first:behind].numpy()).pvalue > 1e-3


def test_window_centers_are_uniform_within_b_of_the_frame():
    moments_s = torch.full((5000,), 2.0)
    places = torch.rand(5000, generator=torch.Generator().manual_seed(2))
    starts_s = window_starts(moments_s, places, asynchrony_s=0.3, window_s=1.28, duration_s=4.0)
    centers_s = starts_s.numpy() + 0.64
    assert 1.7 <= centers_s.min() < 1.71
    assert 2.29 < centers_s.max() <= 2.3
    assert kstest(centers_s, "uniform", args=(1.7, 0.6)).pvalue > 1e-3


@pytest.mark.parametrize("offset_s", [-9.0, -0.4, 0.0, 0.7, 9.0])
def test_windows_stay_inside_the_clip(offset_s):
    moments_s = torch.linspace(-0.5, 5.0, 100)
    starts_s = window_starts(
        moments_s, torch.full((100,), 0.5), asynchrony_s=0.0, window_s=1.28, duration_s=4.0,
        offset_s=offset_s,
    )  # fmt: skip
    assert starts_s.min() >= 0
    assert starts_s.max() + 1.28 <= 4.0 + 1e-9
    free = (starts_s > 0) & (starts_s < 4.0 - 1.28 - 1e-9)
    np.testing.assert_allclose(
        starts_s[free] + 0.64, moments_s.double()[free] + offset_s, atol=1e-9
    )


def test_a_frame_without_a_face_is_replaced_within_its_segment():
    images, audio = clip_pair(found=[1, 4, 11, 14])  # segments of five frames: the last has none
    (batch,) = sampler([(images, audio)]).evaluation()  # middles: 2, 7, 12, 17
    assert frames_of(batch)[0, [0, 2]].tolist() == [1, 11]
    assert batch.blank.tolist() == [[False, True, False, True]]
    edges = torch.tensor([0, 5, 10])
    found = torch.tensor([True, False, False, False, True] + [False] * 5)
    assert nearest_found(torch.tensor([2, 7]), edges, found).tolist() == [0, -1]  # a tie: earlier


def test_evaluation_uses_middles_with_the_window_around_the_frame():
    images, audio = clip_pair()
    (batch,) = sampler([(images, audio)]).evaluation()
    assert frames_of(batch).tolist() == [[2, 7, 12, 17]]
    # Columns are the middles of eight equal parts of 0.1 s; the first lies 0.35 s before the frame.
    starts_s = np.clip(np.array([0.4, 1.4, 2.4, 3.4]) - 0.4, 0, 3.2)
    expected = np.round((starts_s + 0.05) / 0.025)
    np.testing.assert_array_equal(first_moments_of(batch)[0], expected)
    window = batch.inputs["audio"][0, 1, 0, 0].double()
    np.testing.assert_array_equal(window, expected[1] + 4 * np.arange(8))
    assert batch.inputs["audio"].shape == (1, 4, 1, 3, 8)


def test_training_draws_are_within_bounds_seeded_and_new_each_epoch():
    loader = sampler([clip_pair() for _ in range(12)])
    generator = torch.Generator().manual_seed(5)
    first, second = (next(iter(loader.training(generator))) for _ in range(2))
    again = next(iter(loader.training(torch.Generator().manual_seed(5))))
    assert torch.equal(frames_of(first), frames_of(again))
    assert torch.equal(first.inputs["audio"], again.inputs["audio"])
    assert not torch.equal(frames_of(first), frames_of(second))
    assert torch.equal(frames_of(first) // 5, torch.arange(4).expand(12, 4))
    centers_s = first_moments_of(first) * 0.025 + 0.35
    clamped = (frames_of(first) * 0.2).double().clamp(0.4, 3.6)
    # b, and an eighth of a column for the grid
    assert (centers_s - clamped).abs().max() <= 0.1 + 0.1 / 8 + 1e-6
    assert (centers_s - clamped).abs().max() > 0.085  # nor much less than b


def test_draws_of_a_clip_do_not_depend_on_the_batch():
    pairs = [clip_pair() for _ in range(3)]
    (all_three,) = replace(sampler(pairs), draw=1).evaluation()
    (alone,) = replace(sampler(pairs[:1]), draw=1).evaluation()
    (other,) = replace(sampler(pairs[:1]), draw=2).evaluation()
    assert torch.equal(frames_of(all_three)[:1], frames_of(alone))
    three = sampler(pairs)
    (last,) = replace(sampler(pairs[2:]), clip_ids=three.clip_ids[2:], draw=1).evaluation()
    assert torch.equal(frames_of(all_three)[2:], frames_of(last))
    assert torch.equal(all_three.inputs["audio"][2:], last.inputs["audio"])
    assert not torch.equal(first_moments_of(all_three)[0], first_moments_of(all_three)[2])
    assert not torch.equal(first_moments_of(alone), first_moments_of(other))


def test_a_clip_shorter_than_the_window_is_padded_with_zeros():
    images, _ = clip_pair()
    _, short = clip_pair(duration_s=0.4)
    (batch,) = sampler([(images, short)]).evaluation()
    windows = batch.inputs["audio"][0, :, 0, 0]
    np.testing.assert_array_equal(windows, [[2, 6, 10, 14, 0, 0, 0, 0]] * 4)


def test_without_video_times_come_from_the_audio():
    _, audio = clip_pair(duration_s=8.0)
    (batch,) = sampler([(None, audio)]).evaluation()
    assert not batch.present["video"].any()
    np.testing.assert_allclose(first_moments_of(batch)[0] * 0.025 + 0.35, [1, 3, 5, 7], atol=0.013)


def test_without_audio_only_frames_are_drawn():
    images, _ = clip_pair()
    (batch,) = sampler([(images, None)]).evaluation()
    assert set(batch.inputs) == {"video"}
    assert batch.present["audio"].tolist() == [False]
