"""Mount options that risk data are reported."""

import re
from pathlib import Path

import pytest

from monitor.state.mounts import mount_warning

TABLE = r"""
/dev/root / ext4 {root} 0 0
tmpfs /run tmpfs rw,nosuid 0 0
/dev/sda1 /media/gym\040disk ext4 {disk} 0 0
""".lstrip()


@pytest.mark.parametrize(
    ("root", "disk", "directory", "warning"),
    [
        ("rw,noatime", "rw", "/var/lib", None),
        ("rw,data=ordered,commit=5", "rw", "/var/lib", None),
        (
            "rw,data=writeback,commit=600",
            "rw",
            "/var/lib",
            "is on /, mounted with data=writeback, commit=600: a power",
        ),
        ("rw,barrier=0", "rw", "/media/gym disk/x", None),
        (
            "rw",
            "rw,nobarrier",
            "/media/gym disk/x",
            "/media/gym disk/x is on /media/gym disk, mounted with nobarrier",
        ),
        ("rw", "rw", "/run/rep-monitor", r"is in memory \(tmpfs on /run\).*choose a folder on a disk"),
    ],
)
def test_risky_mount_options_are_named(
    tmp_path: Path, root: str, disk: str, directory: str, warning: str | None
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(TABLE.format(root=root, disk=disk))
    found = mount_warning(Path(directory), mounts)
    if warning is None:
        assert found is None
    else:
        assert found is not None
        assert re.search(warning, found)


def test_without_a_table_of_mounts_there_is_no_warning(tmp_path: Path) -> None:
    assert mount_warning(tmp_path, tmp_path / "absent") is None


def test_the_table_of_this_system_can_be_read() -> None:
    found = mount_warning(Path("/"))
    assert found is None or found.startswith("/ is ")
