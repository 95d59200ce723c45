"""The heads of the files and the picture of the house match the code."""

import ast
import re
from pathlib import Path
from types import ModuleType

import firmware_bridge.errors
import firmware_bridge.formats.messages
import monitor.mqtt.contract.roles
import monitor.vocabulary
from firmware_bridge.formats.messages import FROM_DEVICE, FROM_HOST
from monitor.mqtt.contract.roles import Role
from tests.sources import FILES, ROOT, source

NOT_OURS = {
    "CsvImport", "DataEnd", "FitNotes", "JavaScript", "LiamMorrow", "LiftLog", "ModemManager", "NumPy", "WebSocket",
}  # names of formats and other programs  # fmt: skip


def test_the_heads_name_only_what_exists() -> None:
    """Names in backticks, calls such as `feed(chunk)`, and class names; examples are run by test_examples.py."""
    known = _words_of_the_code() | NOT_OURS
    wrong = []
    for path in FILES:
        named = _named(re.sub(r"^ *>>> .*$", "", source(path).docstring or "", flags=re.MULTILINE))
        unknown = sorted(name for name in named if not {name, name.removesuffix("s")} & known)
        wrong += [f"{path.relative_to(ROOT)} names {name}" for name in unknown]
    assert not wrong, "\n".join(wrong)


def _named(head: str) -> set[str]:
    quoted = [word for text in re.findall(r"`([^`\n]+)`", head) for word in re.findall(r"^[\w.]+(?=\(|$)", text)]
    called = re.findall(r"(?<![\w-])([a-z_][\w.]*)\(", head)
    classes = re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", head)
    return {part for name in (*quoted, *called, *classes) for part in name.split(".") if part and not part.isdigit()}


def test_the_tree_of_errors_is_drawn() -> None:
    drawn = re.findall(r"^([ |+-]*)(\w+Error)\b", _head(firmware_bridge.errors), re.MULTILINE)
    parents: list[tuple[int, str]] = []
    for indent, name in drawn:
        parents = [(depth, parent) for depth, parent in parents if depth < len(indent)]
        kind = getattr(firmware_bridge.errors, name)
        assert kind.__bases__ == ((getattr(firmware_bridge.errors, parents[-1][1]),) if parents else (Exception,)), name
        parents.append((len(indent), name))
    defined = [node.name for node in _tree(firmware_bridge.errors).body if isinstance(node, ast.ClassDef)]
    assert [name for _, name in drawn] == defined


def test_the_messages_are_drawn_with_their_codes() -> None:
    device, host = _head(firmware_bridge.formats.messages).split("\n    host ")
    drawn = {int(code, 16): name for code, name in re.findall(r"\b(\d\d) ([A-Z][A-Z_]+\??)", device)}
    drawn |= {int(code, 16): name for code, name in re.findall(r"\b(8\d) ([A-Z][A-Z_]+\??)", host)}
    assert drawn.keys() == FROM_DEVICE.keys() | FROM_HOST.keys()
    for code, name in drawn.items():
        kind = {**FROM_DEVICE, **FROM_HOST}[code].__name__.lower()
        assert (
            kind.removesuffix("request").removesuffix("stream").removesuffix("note")
            == name.rstrip("?").replace("_", "").lower()
        )


def test_the_roles_are_listed() -> None:
    listed = re.findall(r"^    (\w+) {2,}", _head(monitor.mqtt.contract.roles), re.MULTILINE)
    assert listed == [role.value for role in Role]


def test_the_files_of_the_vocabulary_are_listed() -> None:
    listed = re.findall(r"^    (\w+) {2,}", _head(monitor.vocabulary), re.MULTILINE)
    files = (ROOT / "monitor/vocabulary").glob("[!_]*.py")
    assert sorted(listed) == sorted(path.stem for path in files)


def test_the_server_answers_what_its_head_lists() -> None:
    files = ("server.py", "site.py", "desk.py", "playback_desk.py")
    server, *others = ((ROOT / "monitor/display" / name).read_text() for name in files)
    listed = re.findall(r"^    (?:GET|POST) (/[\w.-]+)(?:, (/\w+))?", server, re.MULTILINE)
    answered = set(re.findall(r'"(/[\w-]+(?:\.json|\.crt)?)"', server + "".join(others)))
    assert sorted(filter(None, sum(listed, ()))) == sorted(answered)


def test_the_picture_of_the_house_shows_every_room() -> None:
    picture = (ROOT / "CONTRIBUTING.md").read_text().split("```")[1]
    top, drawn = "", set()
    for line in picture.splitlines():
        names = re.match(r"( {0,4})((?:[\w.]+/? ?)+|[\w./, ]+?)(?: {2,}|$)", line)
        if names is None:
            continue
        for name in re.split(r"[ ,]+", names[2].strip()):
            if not names[1]:
                top = name
            place = top if not names[1] else top + name
            assert any((ROOT / place).parent.glob(Path(place).name + "*")), f"{place} is drawn and does not exist"
            drawn.add(place.rstrip("/"))
    rooms = {f"{path.parent.relative_to(ROOT)}" for path in FILES if path.name == "__init__.py"}
    rooms = {"/".join(room.split("/")[:2]) for room in rooms}
    assert not sorted(rooms - drawn)


def _words_of_the_code() -> set[str]:
    """The identifiers of the product, its string constants, and the names of its files."""
    words = {part for path in FILES for part in path.relative_to(ROOT).with_suffix("").parts} | {"py"}
    return words.union(*(source(path).words for path in FILES))


def _head(module: ModuleType) -> str:
    assert module.__doc__
    return module.__doc__


def _tree(module: ModuleType) -> ast.Module:
    assert module.__file__
    return ast.parse(Path(module.__file__).read_text())
