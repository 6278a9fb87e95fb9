"""Settings: values are checked, text is parsed, errors name place, rule and value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from aver.errors import SettingsError
from aver.settings import Field, settings, settings_from_mapping, settings_to_mapping


@settings
class Training:
    epochs: Annotated[int, Field(ge=1)] = 10
    rate: Annotated[float, Field(gt=0, lt=1)] = 0.1
    schedule: Literal["cosine", "step"] = "cosine"


@settings
class Model:
    name: str
    modalities: Annotated[tuple[str, ...], Field(min_length=1)] = ("video",)
    training: Training = Training()
    branches: Mapping[str, Training] = field(default_factory=dict)
    patience: int | None = None
    refit: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name in self.modalities:
            raise SettingsError(f"name must differ from the modalities; it is {self.name!r}.")


@dataclass(frozen=True)
class Plain:
    width: int = 3


def test_text_becomes_what_the_field_asks_for() -> None:
    values = {
        "name": "007",
        "modalities": "audio,video",
        "training": {"epochs": "5", "rate": "5e-3"},
        "branches": {"audio": {"epochs": 2}},
        "patience": "none",
        "refit": "true",
    }
    made = settings_from_mapping(Model, values)
    assert made == Model(
        "007",
        ("audio", "video"),
        Training(5, 0.005),
        {"audio": Training(2)},
        patience=None,
        refit=True,
    )
    assert isinstance(made.training.rate, float)
    assert settings_from_mapping(Model, settings_to_mapping(made)) == made


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "The setting 'name' must be given."),
        ({"name": "a", "depth": 3}, "There is no setting 'depth'. Known here are: name, modal"),
        ({"name": "a", "training": {"epoch": 1}}, "There is no setting 'training.epoch'. Known"),
        ({"name": "a", "training": {"epochs": 0}}, "'training.epochs' must be at least 1, not 0."),
        ({"name": "a", "training": {"rate": 1.0}}, "'training.rate' must be less than 1, not 1"),
        ({"name": "a", "training": {"epochs": 1.5}}, "'training.epochs' must be a whole number"),
        ({"name": "a", "training": {"epochs": True}}, "'training.epochs' must be a whole number"),
        ({"name": "a", "training": {"epochs": "on"}}, "'training.epochs' must be a whole number"),
        ({"name": "a", "training": {"rate": "fast"}}, "'training.rate' must be a number, not 'fa"),
        ({"name": "a", "training": {"schedule": "x"}}, "must be one of cosine, step, not 'x'."),
        ({"name": "a", "training": 3}, "training must be a mapping, not 3."),
        ({"name": "a", "branches": {"audio": {"epochs": 0}}}, "'branches.audio.epochs' must be at"),
        ({"name": "a", "modalities": []}, "'modalities' must have at least 1 entries"),
        ({"name": "a", "modalities": 3}, "'modalities' must be a list, not 3."),
        ({"name": 3}, "'name' must be text, not 3."),
        ({"name": "video"}, "name must differ from the modalities"),
        ({"name": "a", "refit": "perhaps"}, "'refit' must be true or false, not 'perhaps'."),
    ],
)
def test_what_does_not_fit_is_refused_by_its_dotted_name(values, message) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from_mapping(Model, values)
    assert message in str(caught.value)


def test_the_constructor_checks_as_well_and_instances_are_frozen() -> None:
    with pytest.raises(SettingsError, match="'epochs' must be at least 1, not 0"):
        Training(epochs=0)
    with pytest.raises(SettingsError, match="'epochs' must be at least 1, not 0"):
        Training(0)
    with pytest.raises(SettingsError, match="There is no setting 'speed'"):
        Training(speed=1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Training().epochs = 3  # type: ignore[misc]


def test_dataclasses_without_the_decorator_are_built_too() -> None:
    assert settings_from_mapping(Plain, {"width": "4"}) == Plain(4)
    with pytest.raises(SettingsError, match="There is no setting 'height'"):
        settings_from_mapping(Plain, {"height": 4})
    with pytest.raises(SettingsError, match="'width' must be a whole number"):
        settings_from_mapping(Plain, {"width": "wide"})
