"""Editing values in a profile changes nothing else in the file."""

import os
import tomllib
from pathlib import Path

import pytest

from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from monitor.profile.toml_edit import difference, edited, replace_file

CONFIGS = Path(__file__).parents[2] / "configs"
CHANGES = {
    "machine": {"rest_m": 0.0, "bottom_m": 0.0312, "top_m": 0.4431, "lockout_m": 0.442, "friction": 0.061},
    "calibration": {"metres_per_count": -2.9554e-05, "position_zero_counts": -29256, "newtons_per_count": 0.0058},
}


def test_comments_order_and_spacing_stay(tmp_path: Path) -> None:
    text = (CONFIGS / "leg_press.toml").read_text()
    path = tmp_path / "machine.toml"
    path.write_text(edited(text, CHANGES, "machine.toml"))
    changed = difference(text, path.read_text(), "machine.toml")
    assert [line for line in changed if line.startswith("-")][1:] == [
        "-bottom_m = 0.03", "-top_m = 0.43", "-#lockout_m = 0.43", "-#friction = 0.06",
        "-metres_per_count = 0.0001", "-position_zero_counts = 0", "-newtons_per_count = 0.0012",
    ]  # fmt: skip
    assert [line for line in changed if line.startswith("+")][1:] == [
        "+bottom_m = 0.0312", "+top_m = 0.4431", "+lockout_m = 0.442", "+friction = 0.061",
        "+metres_per_count = -2.9554e-05", "+position_zero_counts = -29256", "+newtons_per_count = 0.0058",
    ]  # fmt: skip
    assert load_profile(path).machine.friction == 0.061


@pytest.mark.parametrize(
    "text",
    [
        '[machine]\nid = "a"\nkind = "stack" # what\n\n[protocol]\nname = "4/4"\n',
        '[protocol]\nname = "4/4"\n[machine]\nid = "a"\nkind = "stack"',
        'machine = {id = "a", kind = "stack"}\nprotocol.name = "4/4"\n',
        '# friction = 0.5\n[ machine ]\n# friction = 0.06\nid = "a"\nkind = "stack"\n[protocol]\nname="4/4"\n',
    ],
)
def test_only_the_values_change_in_any_style_of_file(text: str) -> None:
    after = tomllib.loads(edited(text, CHANGES, "machine.toml"))
    before = tomllib.loads(text)
    assert after["calibration"] == CHANGES["calibration"]
    assert after["machine"] == {**before["machine"], **CHANGES["machine"]}
    assert after["protocol"] == before["protocol"]


def test_a_file_that_cannot_be_edited_safely_is_refused() -> None:
    text = '[machine]\nid = """\n[calibration]\n"""\nkind = "stack"\n'
    with pytest.raises(ConfigError, match="write them in by hand"):
        edited(text, {"calibration": {"newtons_per_count": 1.0}}, "machine.toml")


def test_the_file_is_replaced_atomically(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "machine.toml"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    replace_file(link, "new")
    assert (link.is_symlink(), real.read_text(), real.stat().st_mode & 0o777) == (True, "new", 0o640)
    if os.geteuid() != 0:  # root writes everywhere
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError):
            replace_file(link, "newer")
        tmp_path.chmod(0o700)
        assert real.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["machine.toml", "real.toml"]
