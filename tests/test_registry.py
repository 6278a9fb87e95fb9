"""The table of names: classes in it, registered ones, and names of version 0.1."""

from __future__ import annotations

import pytest

from aver.errors import SettingsError
from aver.registry import Registry


def test_a_registered_class_is_found_even_under_a_name_of_version_0_1() -> None:
    registry: Registry = Registry("thing", {"mfcc": "collections:Counter"}, "aver.nothing")
    assert registry.get("cepstra") is registry.get("mfcc")  # renamed since version 0.1

    @registry.register("coordinates")
    class Own:
        pass

    assert registry.get("coordinates") is Own
    assert registry.names() == ("coordinates", "mfcc")
    with pytest.raises(SettingsError, match=r"no thing named 'other'. Known are: coordinates, mf"):
        registry.get("other")
    with pytest.raises(SettingsError, match="both named 'mfcc'"):
        registry.register("mfcc")(Own)
