import pytest

from aver.errors import SettingsError
from aver.synthesis import SynthesisSettings


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("speakers", 0),
        ("takes", 0),
        ("emotions", ("happy", "hungry")),
        ("emotions", ("happy", "happy")),
        ("emotions", ()),
        ("noise", -0.1),
        ("noise", float("nan")),
        ("seed", -1),
        ("size_px", 161),
        ("fps", 0.0),
        ("duration_s", (2.0, 1.0)),
        ("duration_s", (0.1, 1.0)),
        ("cue", "often"),
        ("moment_s", 5.0),
        ("audio_rate_hz", 8000),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value(setting, value):
    with pytest.raises(SettingsError, match=setting) as caught:
        SynthesisSettings(**{setting: value})
    assert repr(value) in str(caught.value)
