"""Face crops and their functionals on real clips and on videos without faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import soundfile

from aver.cli.arguments import parse_assignments
from aver.corpora.clip import Clip
from aver.errors import MediaError, SettingsError
from aver.features.face_crops import FaceCrops
from aver.features.face_functionals import FaceFunctionals, hog_descriptor
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset

CROPS = FaceCrops(size_px=96, rate_hz=4.0)


def clip_of(video: Path) -> Clip:
    return Clip("clip", None, None, video=video)


@pytest.fixture(scope="module")
def real_clip(data_root: Path) -> Clip:
    return clip_of(data_root / "javanese-av" / "01-01-03_01.mp4")


def write_video(path: Path, images: np.ndarray, rate: int = 10) -> Path:
    """Write (frames, height, width, 3) as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for image in images:
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def read_images(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_crops_hold_the_face_by_another_detector(real_clip: Clip) -> None:
    record = CROPS.extract(real_clip)
    crops, times_s = record.arrays["crops"], record.arrays["times_s"]
    assert crops.shape[1:] == (96, 96, 3)
    assert crops.dtype == np.uint8
    assert np.allclose(np.diff(times_s), 0.25, atol=0.04)
    assert record.arrays["found"].dtype == bool
    assert 0.9 < record.coverage <= 1.0
    cascade = cv2.CascadeClassifier(
        str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml")
    )
    agrees = [
        len(cascade.detectMultiScale(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), 1.05, 2)) == 1
        for crop in crops[record.arrays["found"]]
    ]
    assert np.mean(agrees) > 0.8


def test_black_frames_count_as_frames_without_a_face(real_clip: Clip, tmp_path: Path) -> None:
    assert real_clip.video is not None
    visible = [image for image in read_images(real_clip.video) if image.mean() > 30][:40]
    images = np.concatenate([np.zeros_like(visible), visible])
    record = CROPS.extract(clip_of(write_video(tmp_path / "late.mp4", images)))
    assert record.arrays["times_s"][0] == pytest.approx(4.0, abs=0.26)
    assert record.coverage == pytest.approx(0.5, abs=0.07)


def test_no_face_and_no_video_are_absent(tmp_path: Path) -> None:
    shade = np.tile(np.arange(160, dtype=np.uint8)[:, np.newaxis], (20, 120, 1, 3))
    empty = write_video(tmp_path / "empty.mp4", shade)
    assert CROPS.extract(clip_of(empty)).missing == "no face"
    soundfile.write(tmp_path / "audio.wav", np.random.default_rng(0).normal(0, 0.1, 8000), 8000)
    assert CROPS.extract(clip_of(tmp_path / "audio.wav")).missing == "no video"
    assert FaceFunctionals(CROPS).extract(clip_of(empty)).missing == "no face"


def test_unreadable_video_is_a_media_error(tmp_path: Path) -> None:
    (tmp_path / "zero.mp4").touch()
    with pytest.raises(MediaError, match=r"zero\.mp4"):
        CROPS.extract(clip_of(tmp_path / "zero.mp4"))


def test_functionals_come_from_the_cached_crops(real_clip: Clip, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    feature = FaceFunctionals(CROPS, cells=4)
    record = store.get(real_clip, feature)
    assert store.has(real_clip, CROPS)
    crops = store.get(real_clip, CROPS)
    rows = [hog_descriptor(crop, 4) for crop in crops.arrays["crops"][crops.arrays["found"]]]
    assert record.arrays["statistics"].shape == (2 * 4 * 4 * 8,)
    expected = np.concatenate([np.mean(rows, axis=0), np.std(rows, axis=0)])
    assert np.allclose(record.arrays["statistics"], expected, atol=1e-6)
    assert record.coverage == crops.coverage


@pytest.mark.parametrize("angle_deg", [0, 45, 90, 135])
def test_gradients_fall_into_the_bin_of_their_direction(angle_deg: int) -> None:
    down, across = np.mgrid[:32, :32]
    angle = np.radians(angle_deg)
    wave = 127 + 100 * np.sin((across * np.cos(angle) + down * np.sin(angle)) / 3)
    image = np.repeat(wave[..., np.newaxis], 3, axis=2).astype(np.uint8)
    histogram = hog_descriptor(image, 2).reshape(4, 8)
    assert (histogram.argmax(axis=1) == angle_deg / 22.5).all()
    assert np.linalg.norm(histogram) == pytest.approx(1.0)


def test_gradients_lie_in_their_cell_and_do_not_depend_on_light() -> None:
    image = np.full((32, 32, 3), 50, np.uint8)
    image[4:12, 20:28] = 90
    histogram = hog_descriptor(image, 2).reshape(4, 8)
    assert histogram[1].sum() == pytest.approx(histogram.sum())
    assert np.allclose(hog_descriptor(image + 60, 2), histogram.ravel())
    assert np.allclose(hog_descriptor(image * 2, 2), histogram.ravel())
    assert (hog_descriptor(np.full((8, 8, 3), 9, np.uint8), 2) == 0).all()


@pytest.mark.parametrize(
    "settings", [{"size_px": 0}, {"rate_hz": 0}, {"margin": -0.5}, {"detector": "eyes"}]
)
def test_settings_out_of_range(settings: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(settings))):
        FaceCrops(**settings)  # type: ignore[arg-type]


def test_cells_must_fit_the_crops() -> None:
    with pytest.raises(SettingsError, match="at most 4 for crops of 8 px"):
        FaceFunctionals(FaceCrops(size_px=8), cells=5)


def test_a_model_file_is_identified_by_its_content(tmp_path: Path) -> None:
    video, one, two = (tmp_path / name for name in ("clip.mp4", "one.dat", "two.dat"))
    for path, content in ((video, b"v"), (one, b"a"), (two, b"a")):
        path.write_bytes(content)
    store, clip = FeatureStore(tmp_path / "cache"), clip_of(video)
    crops = [FaceCrops(detector="dlib", face_model=str(path)) for path in (one, two)]
    described = [FaceFunctionals(each) for each in crops]
    paths = [store._path(clip, feature) for feature in (*crops, *described)]
    assert paths[0] == paths[1]
    assert paths[2] == paths[3]
    two.write_bytes(b"b")
    again = [store._path(clip, feature) for feature in (*crops, *described)]
    assert again[0] == paths[0]
    assert again[1] != paths[1]
    assert again[3] != paths[3]
    assert FaceCrops(detector="dlib").key == crops[0].key
    assert crops[0].paths(Clip("audio", None, None)) == ()


def test_a_model_file_goes_with_dlib_and_exists(tmp_path: Path) -> None:
    model = tmp_path / "detector.dat"
    with pytest.raises(SettingsError, match=r"detector\.dat"):
        FaceCrops(detector="dlib", face_model=str(model))
    model.write_bytes(b"no detector")
    with pytest.raises(SettingsError, match="choose detector=dlib"):
        FaceCrops(face_model=str(model))
    video = write_video(tmp_path / "clip.mp4", np.zeros((2, 64, 64, 3), np.uint8))
    crops = FaceCrops(detector="dlib", face_model=str(model))
    # Whether dlib is installed or not: the file reaches the detector, and it says what is wrong.
    with pytest.raises(SettingsError, match=r"is not a detector file of dlib|aver\[dlib\]"):
        crops.extract(clip_of(video))


@pytest.mark.parametrize("preset", ["mrpn-compact", "mrpn-paper"])
def test_the_command_line_reaches_the_model_file(tmp_path: Path, preset: str) -> None:
    model = tmp_path / "detector.dat"
    model.write_bytes(b"any")
    words = [
        "branches.video.feature_settings.detector=dlib",
        f"branches.video.feature_settings.face_model={model}",
    ]
    kind, settings = load_preset(preset, parse_assignments(words, "--set"))
    crops = kind(settings, FeatureStore(tmp_path)).features["video"]
    assert isinstance(crops, FaceCrops)
    assert (crops.detector, crops.face_model) == ("dlib", str(model))


def test_a_stated_box_is_cropped_without_detection(tmp_path: Path) -> None:
    """Of a picture without any face, so that only the box can be the reason."""
    columns = np.tile(np.arange(160, dtype=np.uint8)[np.newaxis, :, np.newaxis], (120, 1, 3))
    path = tmp_path / "columns.png"
    cv2.imwrite(str(path), columns)
    crops = FaceCrops(size_px=24, margin=0.1)
    assert crops.extract(clip_of(path)).missing == "no face"
    record = crops.extract(replace(clip_of(path), face_box=(50.0, 30.0, 70.0, 50.0)))
    assert record.coverage == 1.0
    # the longer side of 20 px and 2 px on each side: columns 48 to 71
    assert np.array_equal(record.arrays["crops"][0], columns[28:52, 48:72])


def test_a_stated_box_is_part_of_the_cache_key(tmp_path: Path) -> None:
    path = tmp_path / "clip.png"
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    store, crops = FeatureStore(tmp_path / "cache"), FaceCrops()
    clips = [clip_of(path), replace(clip_of(path), face_box=(0.0, 0.0, 4.0, 4.0))]
    for feature in (crops, FaceFunctionals(crops)):
        assert len({store._path(clip, feature) for clip in clips}) == 2


@pytest.mark.parametrize("box", [(200.0, 10.0, 220.0, 30.0), (30.0, 10.0, 20.0, 30.0)])
def test_a_box_that_is_empty_or_outside_the_image(
    tmp_path: Path, box: tuple[float, float, float, float]
) -> None:
    path = tmp_path / "small.png"
    cv2.imwrite(str(path), np.full((120, 160, 3), 90, np.uint8))
    with pytest.raises(MediaError, match=r"outside the image of 160 x 120 pixels"):
        FaceCrops().extract(replace(clip_of(path), face_box=box))
