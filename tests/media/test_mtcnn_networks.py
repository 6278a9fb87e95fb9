"""The networks of MTCNN against an evaluation of the Keras arrays with SciPy, and their weights.

The evaluation follows the definitions of the layers in channels-last order, as in the package: it
uses nothing of the torch code, its names or its weight layout.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from scipy.signal import correlate

from aver.errors import SettingsError
from aver.media import mtcnn_networks as mtcnn_weights
from aver.media.mtcnn_networks import OutputNet, ProposalNet, RefinementNet, load_mtcnn_weights


class KerasArrays:
    def __init__(self, network):
        folder = Path(importlib.util.find_spec("mtcnn").submodule_search_locations[0])
        self.arrays = iter(joblib.load(folder / "assets" / "weights" / f"{network}.lz4"))

    def conv(self, x):  # x: (height, width, channels)
        kernel, bias = next(self.arrays), next(self.arrays)
        maps = [
            correlate(x.astype(float), kernel[..., k].astype(float), mode="valid")[..., 0] + bias[k]
            for k in range(kernel.shape[-1])
        ]
        return np.stack(maps, axis=-1)

    def prelu(self, x):
        alpha = next(self.arrays).reshape(-1)
        return np.where(x > 0, x, alpha * x)

    def dense(self, x):
        return x @ next(self.arrays) + next(self.arrays)


def pool(x, size, same):
    height, width, _channels = x.shape
    if same:  # TensorFlow pads at the end first
        extra = [max((-(-n // 2) - 1) * 2 + size - n, 0) for n in (height, width)]
        pads = [(e // 2, e - e // 2) for e in extra]
        x = np.pad(x, [*pads, (0, 0)], constant_values=-np.inf)
    rows = range(0, x.shape[0] - size + 1, 2)
    columns = range(0, x.shape[1] - size + 1, 2)
    return np.array([[x[i : i + size, j : j + size].max((0, 1)) for j in columns] for i in rows])


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def flat(x):  # Keras: Permute((2, 1, 3)), Flatten
    return x.transpose(1, 0, 2).reshape(-1)


def window(height, width):
    return np.random.default_rng(0).uniform(-1, 1, (height, width, 3))


def run(network, name, x):
    network.load_state_dict(load_mtcnn_weights(name))
    with torch.inference_mode():
        batch = torch.from_numpy(x.transpose(2, 0, 1)[None].copy()).float()
        return [out.numpy()[0] for out in network.eval()(batch)]


@pytest.mark.parametrize("size", [(12, 12), (25, 31), (40, 26)])
def test_proposal_net(size):
    x = window(*size)
    keras = KerasArrays("pnet")
    y = pool(keras.prelu(keras.conv(x)), 2, same=True)
    y = keras.prelu(keras.conv(keras.prelu(keras.conv(y))))
    box, face = keras.conv(y), softmax(keras.conv(y))[..., 1]
    ours_face, ours_box = run(ProposalNet(), "pnet", x)
    np.testing.assert_allclose(ours_face, face, atol=1e-5)
    np.testing.assert_allclose(ours_box.transpose(1, 2, 0), box, atol=1e-4)


def test_refinement_net():
    x = window(24, 24)
    keras = KerasArrays("rnet")
    y = pool(keras.prelu(keras.conv(x)), 3, same=True)
    y = pool(keras.prelu(keras.conv(y)), 3, same=False)
    y = keras.prelu(keras.dense(flat(keras.prelu(keras.conv(y)))))
    box, face = keras.dense(y), softmax(keras.dense(y))[1]
    ours_face, ours_box = run(RefinementNet(), "rnet", x)
    np.testing.assert_allclose(ours_face, face, atol=1e-5)
    np.testing.assert_allclose(ours_box, box, atol=1e-4)


def test_output_net():
    x = window(48, 48)
    keras = KerasArrays("onet")
    y = pool(keras.prelu(keras.conv(x)), 3, same=True)
    y = pool(keras.prelu(keras.conv(y)), 3, same=False)
    y = pool(keras.prelu(keras.conv(y)), 2, same=True)
    y = keras.prelu(keras.dense(flat(keras.prelu(keras.conv(y)))))
    box, points, face = keras.dense(y), keras.dense(y), softmax(keras.dense(y))[1]
    ours_face, ours_box, ours_points = run(OutputNet(), "onet", x)
    np.testing.assert_allclose(ours_face, face, atol=1e-5)
    np.testing.assert_allclose(ours_box, box, atol=1e-4)
    np.testing.assert_allclose(ours_points, np.stack([points[:5], points[5:]], 1), atol=1e-4)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mtcnn"


def test_converted_once_then_read_from_the_cache(cache, monkeypatch):
    first = load_mtcnn_weights("rnet")
    (file,) = cache.iterdir()
    assert file.suffix == ".safetensors"
    monkeypatch.setattr(joblib, "load", None)  # the pickle must not be needed again
    second = load_mtcnn_weights("rnet")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_damaged_cache_file_is_written_again(cache):
    load_mtcnn_weights("pnet")
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    load_mtcnn_weights("pnet")
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AVER_CACHE", str(tmp_path / "file" / "cache"))
    assert load_mtcnn_weights("pnet")


def test_foreign_pickle_is_never_opened(cache, tmp_path, monkeypatch):
    folder = tmp_path / "site" / "mtcnn"
    (folder / "assets" / "weights").mkdir(parents=True)
    (folder / "__init__.py").touch()
    joblib.dump([1, 2], folder / "assets" / "weights" / "pnet.lz4")
    spec = importlib.util.spec_from_file_location(
        "mtcnn", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(joblib, "load", lambda path: pytest.fail("a foreign pickle was opened"))
    with pytest.raises(SettingsError, match="not the file of mtcnn"):
        load_mtcnn_weights("pnet")


def test_missing_package(cache, monkeypatch):
    monkeypatch.setattr(mtcnn_weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="pip install mtcnn"):
        load_mtcnn_weights("onet")


def test_the_package_itself_is_not_imported(cache):
    load_mtcnn_weights("onet")
    assert "mtcnn" not in sys.modules
    assert "tensorflow" not in sys.modules
