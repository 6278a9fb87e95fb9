"""Where the weights come from, and what is never opened."""

import importlib.util
import sys

import joblib
import pytest
import torch

from aver.errors import SettingsError
from aver.media import mtcnn_networks as mtcnn_weights
from aver.media.mtcnn_networks import load_mtcnn_weights


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


def test_torn_cache_file_is_written_again(cache):
    load_mtcnn_weights("pnet")
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    load_mtcnn_weights("pnet")
    assert file.read_bytes() == whole


def test_cache_that_cannot_be_written_costs_nothing(tmp_path, monkeypatch):
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
