"""The lock files: one version of each distribution, with hashes, the same in all files, as pyproject.toml requires."""

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.locks import LOCKS, ROOT, pins

EXTRAS_OF_DEV = {"gym", "postgres", "fit"}  # what the tools for development contain by reference
NAMES = sorted(path.stem for path in LOCKS.glob("*.lock"))


def test_there_is_a_lock_for_running_building_and_developing() -> None:
    assert NAMES == ["build", "development", "runtime"]


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_contains_all_requirements_of_pyproject(name: str) -> None:
    """If this fails, run `make lock`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    asked = {
        "runtime": runtime,
        "build": project["build-system"]["requires"],
        "development": [*runtime, *extras["dev"], *(each for extra in EXTRAS_OF_DEV for each in extras[extra])],
    }[name]
    locked = pins(name)
    for requirement in map(Requirement, asked):
        if requirement.name == project["project"]["name"]:
            assert requirement.extras == EXTRAS_OF_DEV
            continue
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in {name}.lock: make lock"
        assert requirement.specifier.contains(version), f"{requirement} does not allow {version}: make lock"


def test_the_locks_agree() -> None:
    """Tests run with the versions that the service runs with."""
    runtime, development, build = pins("runtime"), pins("development"), pins("build")
    assert runtime.items() <= development.items()
    assert all(development.get(name, version) == version for name, version in build.items())
