"""The lock files: one version of each distribution, with hashes, the same in all files, as pyproject.toml asks."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "configs" / "locks"
NAMES = sorted(path.stem for path in LOCKS.glob("*.lock"))


def pins(name: str) -> dict[str, str]:
    """The version of each distribution; each has hashes, and no distribution has two versions."""
    text = re.sub(r"(?m)^\s*#.*$", "", (LOCKS / f"{name}.lock").read_text()).replace("\\\n", " ")
    versions: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = line.split(" --hash=")
        assert hashes, line
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", part.strip()) for part in hashes)
        parsed = Requirement(requirement.strip())
        (pin,) = parsed.specifier
        assert pin.operator == "=="
        key = canonicalize_name(parsed.name)
        assert key not in versions, f"{key} has two versions in {name}.lock"
        versions[key] = pin.version
    return versions


def test_there_is_a_lock_for_running_building_and_developing() -> None:
    assert NAMES == ["build", "development", "runtime"]


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_what_pyproject_asks_for(name: str) -> None:
    """Otherwise `make lock` was forgotten."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    asked = {
        "runtime": runtime,
        "build": project["build-system"]["requires"],
        "development": [*runtime, *project["project"]["optional-dependencies"]["dev"]],
    }[name]
    locked = pins(name)
    for requirement in map(Requirement, asked):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in {name}.lock: make lock"
        assert requirement.specifier.contains(version), f"{requirement} does not allow {version}: make lock"


def test_the_locks_agree() -> None:
    """Tests run with the versions that the service runs with."""
    runtime, development, build = pins("runtime"), pins("development"), pins("build")
    assert runtime.items() <= development.items()
    assert all(development.get(name, version) == version for name, version in build.items())
