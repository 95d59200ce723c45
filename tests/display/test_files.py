"""The pages' files: in the wheel, vendored ones unmodified, complete cue packs, no foreign addresses."""

import hashlib
import json
import posixpath
import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.display.site import page_files
from monitor.events import Phase
from monitor.mqtt.contract.messages import PublishedLink
from monitor.vocabulary.leaks import LEAKS
from monitor.vocabulary.rows import Words
from monitor.vocabulary.table import ROWS

PAGE_FOLDER = Path(str(resources.files("monitor.display") / "page"))
GYM_FOLDER = Path(str(resources.files("monitor.gym") / "web/page"))
PACKS = sorted(PAGE_FOLDER.glob("cues/??.json"))
PLACE = re.compile(r"\{\d\}")
OWN = [
    path
    for folder in (PAGE_FOLDER, GYM_FOLDER)
    for path in folder.rglob("*")
    if path.suffix in (".js", ".html", ".css") and "vendor" not in path.parts
]


def test_vendored_files_are_unmodified() -> None:
    lines = (PAGE_FOLDER / "vendor/SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split() for line in lines)}
    assert listed.keys() >= {"mqtt.min.js", "uPlot.iife.min.js", "uPlot.min.css", "mqtt.LICENSE.md", "uPlot.LICENSE"}
    for name, digest in listed.items():
        assert hashlib.sha256((PAGE_FOLDER / "vendor" / name).read_bytes()).hexdigest() == digest, name
    about = (PAGE_FOLDER / "vendor/README.md").read_text()
    assert "5.16.0" in about
    assert "1.6.32" in about


def names_of_the_vocabulary() -> set[str]:
    """The texts of a language that the vocabulary itself does not have."""
    remedies = {f"remedy.{row.key}" for row in ROWS if row.remedy}
    leaks = {f"leak.{field}" for field in LEAKS}
    return {f"event.{row.key}" for row in ROWS} | remedies | leaks | {"better.clean", "better.clean_so_far"}


def test_every_pack_has_every_word_and_cues_of_at_most_8_letters() -> None:
    packs = {path.stem: json.loads(path.read_text()) for path in PACKS}
    assert packs.keys() >= {"en", "de", "es", "fr", "ar"}
    assert json.loads((PAGE_FOLDER / "cues/index.json").read_text())["packs"] == {
        name: pack["name"] for name, pack in packs.items()
    }
    english = packs["en"]
    translated = names_of_the_vocabulary()
    for name, pack in packs.items():
        assert pack["language"] == name
        for part in ("cues", "spoken", "texts"):
            wanted = english[part].keys() | (translated if part == "texts" and name not in Words._fields else set())
            assert pack[part].keys() == wanted, (name, part)
            assert all(pack[part].values())
        assert all(len(word) <= 8 and word == word.upper() for word in pack["cues"].values()), name
        for key, text in pack["texts"].items():
            assert PLACE.findall(text) == PLACE.findall(english["texts"].get(key, "")), (name, key)


def test_every_text_that_the_page_uses_exists() -> None:
    texts = json.loads((PAGE_FOLDER / "cues/en.json").read_text())["texts"]
    asked = set()
    for path in OWN:
        source = path.read_text()
        asked |= set(re.findall(r'data-(?:text|label)="([^"]+)"', source))
        asked |= set(re.findall(r'words\.text\("([^"]+)"', source))
    assert len(asked) > 40
    assert asked <= texts.keys()


def test_every_text_that_a_message_can_need_exists() -> None:
    """Texts whose keys the page builds from a record."""
    pack = json.loads((PAGE_FOLDER / "cues/en.json").read_text())
    bands, rests = ("low", "in", "high", "none"), ("lockout", "bottom")
    links = set(get_args(PublishedLink)) - {"none", "live"} | {"late", "waiting"}
    assert pack["texts"].keys() >= {
        *(f"state.set.{name}" for name in (*bands, *rests)),
        *(f"state.stale.{name}" for name in links),
        *(f"phase.{phase}" for phase in get_args(Phase)),
        "leak.unjudged_s",
        *(f"start.{grade}" for grade in ("squeezed", "fair", "jerked")),
        *(f"outcome.{outcome}" for outcome in ("failure", "ended")),
    }
    assert pack["cues"].keys() >= {*rests, *get_args(Phase), "low", "high"}


def test_our_files_contain_no_foreign_address() -> None:
    for path in OWN:
        addresses = set(re.findall(r"(?:https?|wss?)://[^\s\"'`$]+", path.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path.name
        if path.suffix == ".html":
            assert "default-src 'none'" in path.read_text(), path.name


@pytest.mark.parametrize("path", [path for path in OWN if path.suffix == ".js"], ids=lambda path: path.name)
def test_a_script_begins_with_its_purpose_and_stays_small(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 240 or path.name == "vocabulary.js"  # a table
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("page", "entry"),
    [("index.html", "display.js"), ("trainer.html", "trainer.js"), ("/page/index.html", "/page/gym.js")],
)
def test_a_page_loads_all_its_scripts_at_once(page: str, entry: str) -> None:
    """Otherwise the browser finds them one after the other, which a slow tablet shows as an empty page."""
    found, waiting = set(), {entry}
    while waiting:
        address = waiting.pop()
        found.add(address)
        imported = re.findall(r'^(?:import|} from)\b[^;"]*"(\.[^"]+)";', _file(address).read_text(), re.MULTILINE)
        waiting |= {posixpath.normpath(posixpath.join(posixpath.dirname(address), name)) for name in imported} - found
    preloaded = set(re.findall(r'<link rel="modulepreload" href="([^"]+)">', _file(page).read_text()))
    assert preloaded == found - {entry}


def _file(address: str) -> Path:
    """Of an address on a machine's page, or, with a slash at its beginning, on the gym's."""
    if address.startswith("/page/") and not address.startswith("/page/shared/"):
        return GYM_FOLDER / address.removeprefix("/page/")
    return PAGE_FOLDER / address.removeprefix("/page/shared/")


def test_gravity_is_defined_in_one_script() -> None:
    scripts = {path.name for path in OWN if str(STANDARD_GRAVITY_M_S2) in path.read_text()}
    assert scripts == {"units.js"}


def test_the_pages_are_in_the_wheel(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        shipped = set(wheel.namelist())
    for folder in (PAGE_FOLDER, GYM_FOLDER):
        for path in folder.rglob("*"):
            assert path.is_dir() or path.relative_to(root).as_posix() in shipped


def test_a_browser_knows_the_type_of_each_file() -> None:
    assert not [path for path, file in page_files().items() if file.type == "application/octet-stream"]
