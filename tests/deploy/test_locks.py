"""The lock files: one version of each distribution, with hashes, the same in all files, as pyproject.toml requires."""

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.locks import LOCKS, ROOT, pins

EXTRAS_OF_GYM = {"gym", "postgres", "fit"}  # which the tools for development contain by reference
NAMES = sorted(path.stem for path in LOCKS.glob("*.lock"))


def test_there_is_a_lock_for_each_purpose() -> None:
    assert NAMES == ["build", "development", "gym", "runtime"]


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_contains_all_requirements_of_pyproject(name: str) -> None:
    """If this fails, run `make lock`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    gym = [*runtime, *(each for extra in EXTRAS_OF_GYM for each in extras[extra])]
    asked = {
        "runtime": runtime,
        "gym": gym,
        "build": project["build-system"]["requires"],
        "development": [*gym, *extras["dev"]],
    }[name]
    locked = pins(name)
    for requirement in map(Requirement, asked):
        if requirement.name == project["project"]["name"]:
            assert requirement.extras == EXTRAS_OF_GYM
            continue
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in {name}.lock: make lock"
        assert requirement.specifier.contains(version), f"{requirement} does not allow {version}: make lock"


def test_the_locks_agree() -> None:
    """Tests run with the versions that the service runs with."""
    runtime, gym, development, build = map(pins, ("runtime", "gym", "development", "build"))
    assert runtime.items() <= gym.items() <= development.items()
    assert all(development.get(name, version) == version for name, version in build.items())
