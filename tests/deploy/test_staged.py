"""A real installation below a folder: from wheels whose hashes are locked, whole, and usable elsewhere."""

import base64
import csv
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pip as pip_package
import pytest
from packaging.utils import canonicalize_name

from tests.deploy.locks import pins
from tests.deploy.places import DEPLOY, PYTHON, ROOT
from tests.soak import soak, soak_only


def sources(folder: Path) -> Path:
    """Copies the files of a clone. Returns its configs/deploy."""
    ignored = shutil.ignore_patterns("__pycache__", "build")
    for name in ("firmware_bridge", "monitor", "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    return folder / "configs" / "deploy"


def versions(release: Path) -> dict[str, str]:
    """The distributions in the environment."""
    listed = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([release / "bin/python", "-I", "-c", listed], capture_output=True, check=True)
    return {canonicalize_name(name): version for name, version in json.loads(done.stdout).items()}


def staged_install(deploy: Path, root: Path, python: str | Path = PYTHON) -> str:
    """The output of `make install DESTDIR=`, with the environments of this Python."""
    words = [PYTHON, str(deploy / "install.py"), "install", "--root", str(root), "--python", str(python)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def release_of(root: Path) -> Path:
    (release,) = (root / "opt/rep-monitor/releases").iterdir()
    return release


def called(root: Path, *words: str | Path) -> str:
    """The output of the command below `root`, started without its shebang and path."""
    current = root / "opt/rep-monitor/current"
    assert f"exec /{current.relative_to(root)}/bin/rep-monitor" in (root / "usr/local/bin/rep-monitor").read_text()
    return subprocess.run(
        [current / "bin/python", current / "bin/rep-monitor", *words], capture_output=True, text=True, check=True
    ).stdout


def naming(root: Path, wanted: Path) -> list[str]:
    """The files and links below `root` that contain the path `wanted`."""
    path = os.fsencode(wanted)
    texts = ((each, os.fsencode(os.readlink(each)) if each.is_symlink() else each.read_bytes())
             for each in sorted(root.rglob("*")) if each.is_symlink() or each.is_file())  # fmt: skip
    return [str(each.relative_to(root)) for each, text in texts if path in text]


def damaged(release: Path) -> list[str]:
    """The files that are missing or differ from the RECORD of their distribution."""
    wrong = []
    for record in release.rglob("*.dist-info/RECORD"):
        for name, digest, size in csv.reader(record.read_text().splitlines()):
            path = record.parents[1] / name
            data = path.read_bytes() if path.exists() else b""
            made = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            if not path.exists() or (digest and (digest, size) != (f"sha256={made}", str(len(data)))):
                wrong.append(name)
    return wrong


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with one distribution in its lock, for speed; `make soak` installs all. Returns its configs/deploy."""
    deploy = sources(tmp_path_factory.mktemp("clone"))
    runtime = deploy.parent / "locks/runtime.lock"
    (cobs,) = re.findall(r"(?ms)^cobs==.*?(?=^\S)", runtime.read_text())
    runtime.write_text(cobs)
    return deploy


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python, but its environments borrow the pip of the tests: to install one takes half of an installation."""
    borrowing = tmp_path_factory.mktemp("python") / "python"
    python, pip = shlex.quote(PYTHON), f"{shlex.quote(str(Path(pip_package.__file__).parents[1]))}/pip"
    borrowing.write_text(
        f'#!/bin/sh\n[ "$1 $2 $#" = "-m venv 3" ] || exec {python} "$@"\n'
        f'{python} -m venv --without-pip "$3" && ln -s {pip} {pip}-*.dist-info "$3"/lib/python*/site-packages\n'
    )
    borrowing.chmod(0o755)
    return borrowing


@pytest.fixture(scope="module")
def staged(clone: Path, python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real installation with environment, wheels and hashes, below a folder."""
    root = tmp_path_factory.mktemp("staging")
    staged_install(clone, root, python)
    return root


def test_for_real_with_one_of_the_many_it_depends_on(staged: Path, clone: Path, python: Path) -> None:
    release = release_of(staged)
    assert versions(release).keys() == {"rep-monitor", "cobs"}, "no pip, nothing but what is locked"
    assert not (release / "build").exists()
    assert damaged(release) == []
    assert (release / "share/rep-monitor/leg_press.toml").exists()
    assert "Building" not in staged_install(clone, staged, python)


def test_a_staged_tree_names_its_final_place_only_and_runs_elsewhere(staged: Path, tmp_path: Path) -> None:
    assert naming(staged, staged) == []
    release = release_of(staged)
    final = f"/{release.relative_to(staged)}"
    assert (release / "bin/rep-monitor").read_text().startswith(f"#!{final}/bin/python")
    assert f"VIRTUAL_ENV={final}\n" in (release / "bin/activate").read_text().replace('"', "").replace("'", "")
    moved = tmp_path / "moved"
    shutil.copytree(staged, moved, symlinks=True)
    aside = staged.rename(staged.with_name("aside"))
    try:
        assert called(moved, "--version") == f"rep-monitor {metadata.version('rep-monitor')}\n"
    finally:
        aside.rename(staged)
    assert naming(moved, moved) == [], "running it wrote nothing into it"


@soak
@soak_only
def test_for_real_from_the_locks(tmp_path: Path) -> None:
    root = tmp_path / "staging"
    staged_install(DEPLOY, root)
    there, wanted = versions(release_of(root)), pins("runtime")
    assert all(version == wanted[name] for name, version in there.items() if name != "rep-monitor")
    assert naming(root, root) == damaged(release_of(root)) == []
    moved = root.rename(tmp_path / "moved")
    assert "leg-press" in called(moved, "config", "check", release_of(moved) / "share/rep-monitor/leg_press.toml")
    assert naming(moved, moved) == []


@soak
@soak_only
def test_a_file_whose_hash_is_another_is_not_installed(tmp_path: Path) -> None:
    deploy = sources(tmp_path / "source")
    lock = deploy.parent / "locks/build.lock"
    lock.write_text(re.sub(r"sha256:[0-9a-f]", "sha256:x", lock.read_text()).replace("sha256:x", "sha256:0"))
    root = tmp_path / "root"
    root.mkdir()
    words = [PYTHON, str(deploy / "install.py"), "install", "--root", str(root), "--python", PYTHON]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert list(root.rglob("*")) == []
