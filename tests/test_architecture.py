"""Rules of the house that code can be checked for: import directions, doors of libraries, one clock, readable files.

`MAY_IMPORT` has the direction of every import; CONTRIBUTING.md shows the rooms.
"""

import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from tests.sources import FILES, MODULES, ROOT, module, source

LONGEST_FILE_LINES = 350

MAY_IMPORT = {  # a room -> the rooms that it may use; within a room any file may import any other, without cycles
    "firmware_bridge": ["firmware_bridge"],
    "firmware_bridge.formats": ["firmware_bridge.chunk", "firmware_bridge.errors", "firmware_bridge.samples"],
    "monitor.arguments": [],
    "monitor.events": [],
    "monitor.exit_codes": [],
    "monitor.state": ["monitor.events"],
    "monitor.vocabulary": ["monitor.events"],
    "monitor.profile": ["firmware_bridge", "monitor.mqtt.contract.topics", "monitor.state"],
    "monitor.signals": ["firmware_bridge", "monitor.profile"],
    "monitor.learning": ["firmware_bridge", "monitor.profile", "monitor.signals"],
    "monitor.detect": [
        "firmware_bridge",
        "monitor.events",
        "monitor.learning",
        "monitor.profile",
        "monitor.signals",
        "monitor.vocabulary",
    ],
    "monitor.analysis": [
        "firmware_bridge",
        "monitor.detect",
        "monitor.events",
        "monitor.learning",
        "monitor.profile",
        "monitor.signals",
    ],
    "monitor.record": ["firmware_bridge", "monitor.events", "monitor.state"],
    "monitor.store": ["monitor.events", "monitor.state"],
    "monitor.mqtt.contract": ["monitor.events"],
    "monitor.mqtt.contract.topics": [],
    "monitor.mqtt.client": ["monitor.events", "monitor.mqtt.contract", "monitor.state", "monitor.store"],
    "monitor.mqtt.broker": ["monitor.mqtt.client", "monitor.mqtt.contract"],
    "monitor.display": ["monitor.events", "monitor.mqtt", "monitor.profile", "monitor.state", "monitor.store"],
    "monitor.report": [
        "firmware_bridge",
        "monitor.events",
        "monitor.profile",
        "monitor.record",
        "monitor.vocabulary",
    ],
    "monitor.access": ["monitor.mqtt", "monitor.profile", "monitor.state"],
    "monitor.calibrate": [
        "firmware_bridge",
        "monitor.events",
        "monitor.learning",
        "monitor.profile",
        "monitor.state",
    ],
    "monitor.custody": [
        "monitor.events",
        "monitor.mqtt",
        "monitor.profile",
        "monitor.record",
        "monitor.state",
        "monitor.store",
    ],
    "monitor.playback": [
        "monitor.analysis",
        "firmware_bridge",
        "monitor.access",
        "monitor.allocator",
        "monitor.detect",
        "monitor.events",
        "monitor.learning",
        "monitor.mqtt",
        "monitor.profile",
        "monitor.record",
        "monitor.report",
        "monitor.state",
    ],
    "monitor.study": ["monitor.events", "monitor.exit_codes", "monitor.playback", "monitor.state"],
    "monitor.strength": ["firmware_bridge", "monitor.profile"],
    "monitor.watch": [
        "monitor.access",
        "monitor.display",
        "monitor.events",
        "monitor.mqtt",
        "monitor.profile",
        "monitor.report",
        "monitor.state",
    ],
    "monitor.doctor": [
        "firmware_bridge",
        "monitor.access",
        "monitor.calibrate",
        "monitor.events",
        "monitor.mqtt",
        "monitor.profile",
        "monitor.state",
    ],
    "monitor.daemon": [
        "monitor.analysis",
        "firmware_bridge",
        "monitor.access",
        "monitor.calibrate",
        "monitor.custody",
        "monitor.detect",
        "monitor.display",
        "monitor.events",
        "monitor.exit_codes",
        "monitor.learning",
        "monitor.mqtt",
        "monitor.profile",
        "monitor.record",
        "monitor.signals",
        "monitor.state",
        "monitor.store",
    ],
    "monitor.demo": [
        "firmware_bridge",
        "monitor.daemon",
        "monitor.display",
        "monitor.events",
        "monitor.gym",
        "monitor.mqtt",
        "monitor.profile",
        "monitor.report",
        "monitor.state",
        "monitor.store",
        "monitor.vocabulary",
    ],
    "monitor.projection": [
        "monitor.daemon",
        "monitor.display",
        "monitor.events",
        "monitor.mqtt",
        "monitor.playback",
        "monitor.profile",
    ],
    "monitor.gym": [
        "firmware_bridge",
        "monitor.access",
        "monitor.display",
        "monitor.events",
        "monitor.mqtt",
        "monitor.profile",
        "monitor.report",
        "monitor.state",
    ],
    "monitor.gym.database": ["monitor.events", "monitor.state"],
    "monitor.gym.people": [
        "firmware_bridge.physics",
        "monitor.gym.database",
        "monitor.mqtt.contract",
        "monitor.record.table",
    ],
    "monitor.gym.workout": [
        "firmware_bridge.physics",
        "monitor.gym.database",
        "monitor.gym.people",
        "monitor.mqtt.contract",
    ],
    "monitor.commands": ["firmware_bridge", "monitor"],  # the wiring
    "monitor.__main__": ["monitor.commands", "monitor.exit_codes"],
    "monitor": [],
}

DOORS = {  # an outside library -> the files, or folders, that may know it
    "serial": ["firmware_bridge/serial_port.py", "firmware_bridge/ports.py"],
    "cobs": ["firmware_bridge/formats/framing.py"],
    "aiomqtt": ["monitor/mqtt/client/connection.py", "monitor/mqtt/client/lean_client.py"],
    "paho": ["monitor/mqtt/client/connection.py"],
    "amqtt": [
        "monitor/mqtt/broker/sound_broker.py",
        "monitor/mqtt/broker/guard.py",
        "monitor/mqtt/broker/rights.py",
    ],
    "websockets": ["monitor/display/", "monitor/mqtt/broker/sound_broker.py", "monitor/mqtt/broker/guard.py"],
    "mcap": ["monitor/record/"],
    "zstandard": ["monitor/record/chunk_body.py"],
    "lz4": ["monitor/record/chunk_body.py"],
    "sqlite3": ["monitor/store/", "monitor/gym/database/"],
    "sqlalchemy": ["monitor/gym/"],
    "xlsxwriter": ["monitor/gym/export/xlsx_file.py"],
    "fit_tool": ["monitor/gym/export/fit_file.py"],
    "alembic": ["monitor/gym/database/"],
    "psycopg": ["monitor/gym/database/"],
    "fastapi": ["monitor/gym/web/"],
    "starlette": ["monitor/gym/web/"],
    "pydantic": ["monitor/gym/web/"],
    "uvicorn": ["monitor/gym/web/server.py"],
    "tomllib": ["monitor/profile/toml_document.py", "monitor/profile/toml_edit.py"],
    "tomlkit": ["monitor/profile/toml_edit.py"],
    "numpy": ["firmware_bridge/", "monitor/"],
    "msgspec": ["firmware_bridge/", "monitor/"],
    "segno": ["monitor/display/qr_code.py"],
    "pyarrow": ["monitor/study/", "monitor/commands/study.py"],
    "distributed": ["monitor/study/workers.py"],
    "rich": [
        "monitor/commands/",
        "monitor/report/",
        "monitor/record/",
        "monitor/calibrate/terminal.py",
        "monitor/demo/demo_screen.py",
        "monitor/demo/gym_screen.py",
        "monitor/watch/terminal_view.py",
    ],  # where a person reads a terminal
}

CLOCKS = ["firmware_bridge/serial_port.py", "firmware_bridge/ports.py", "firmware_bridge/simulator/", "monitor/daemon",
          "monitor/demo/trainer.py",
          "monitor/custody/housekeeping.py", "monitor/daemon/log_limit.py", "monitor/commands/", "monitor/display/",
          "monitor/mqtt/", "monitor/record/", "monitor/store/", "monitor/custody/",
          "monitor/report/local_time.py", "monitor/state/folders.py", "monitor/doctor/", "monitor/gym/"]  # fmt: skip
PURE = ["firmware_bridge/chunk.py", "firmware_bridge/formats/", "firmware_bridge/physics.py",
        "firmware_bridge/samples.py",
        "monitor/analysis/", "monitor/detect/", "monitor/events.py", "monitor/learning/",
        "monitor/mqtt/contract/messages.py", "monitor/mqtt/contract/payload.py", "monitor/mqtt/contract/topics.py",
        "monitor/profile/profile.py",
        "monitor/profile/settings.py", "monitor/profile/limits.py", "monitor/signals/"]  # fmt: skip
WORLD = {"asyncio", "concurrent", "datetime", "io", "logging", "multiprocessing", "os", "pathlib", "queue", "random",
         "select", "selectors", "signal", "socket", "subprocess", "tempfile", "threading", "time"}  # fmt: skip
WORLDLY_CALLS = {"open", "print", "input"}


# they import nothing of ours, so that every room may use them
EVERYWHERE = ["monitor.version", "monitor.safe_output", "monitor.worker_thread"]


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def rule(name: str) -> str:
    return max((package for package in MAY_IMPORT if within(name, package)), key=len)


def offends(path: Path, places: list[str]) -> bool:
    relative = path.relative_to(ROOT).as_posix()
    return not any(relative.startswith(place) for place in places)


def test_imports_go_one_way() -> None:
    wrong = []
    for path in FILES:
        own = rule(module(path))
        for name, line, _ in source(path).imports:
            if name.split(".")[0] in ("firmware_bridge", "monitor"):
                allowed = [
                    *([] if within(own, "firmware_bridge") else EVERYWHERE),
                    *MAY_IMPORT[own],
                    *([own] if own not in ("monitor", "firmware_bridge") else []),
                ]
                if not any(within(name, package) for package in allowed):
                    wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}, {own} may only {allowed}")
    assert not wrong, "\n".join(wrong)


def test_only_main_looks_for_commands() -> None:
    users = {module(path) for path in FILES for name, _, _ in source(path).imports if within(name, "monitor.commands")}
    assert all(within(user, "monitor.commands") for user in users)


def test_only_its_commands_know_the_gym() -> None:
    """So the daemon runs without what the gym needs."""
    users = {
        module(path): at_start
        for path in FILES
        for name, _, at_start in source(path).imports
        if within(name, "monitor.gym") and not within(module(path), "monitor.gym")
    }
    assert all(within(user, "monitor.commands") or within(user, "monitor.demo") for user in users)
    early = {user for user, at_start in users.items() if at_start}
    assert early <= {"monitor.commands.gym"}, "the others import it inside their functions"


def test_the_daemon_knows_its_sinks_only_by_their_interface() -> None:
    for name in ("daemon.py", "keeper.py", "session.py", "idle.py"):
        used = [used for used, _, _ in source(ROOT / "monitor" / "daemon" / name).imports]
        assert not [used for used in used if within(used, "monitor.mqtt.client") or used.endswith("mqtt_sink")], name


def test_the_bridge_does_not_know_its_simulator() -> None:
    inside = "firmware_bridge.simulator"
    users = {module(path) for path in FILES for name, _, _ in source(path).imports if within(name, inside)}
    assert not [user for user in users if within(user, "firmware_bridge") and not within(user, inside)]


def test_imports_make_no_circle() -> None:
    graph = {
        module(path): {name for name, _, start in source(path).imports if start and name in MODULES} for path in FILES
    }
    for name, uses in graph.items():
        uses.discard(name)
    list(TopologicalSorter(graph).static_order())  # raises CycleError, with the circle in it


def test_each_library_has_its_door() -> None:
    wrong = []
    for path in FILES:
        for name, line, at_start in source(path).imports:
            library = name.split(".")[0]
            if library in ("firmware_bridge", "monitor") or (
                library in sys.stdlib_module_names and library not in DOORS
            ):
                continue
            if library not in DOORS or offends(path, DOORS[library]):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}; its door is {DOORS.get(library)}")
            if library == "rich" and at_start:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name} before it is needed")
    assert not wrong, "\n".join(wrong)


def test_no_file_after_the_decoder_reads_a_clock() -> None:
    clocks = {"time", "datetime"}
    readers = [
        p for p in FILES for name, _, _ in source(p).imports if name.split(".")[0] in clocks and offends(p, CLOCKS)
    ]
    assert not readers


def test_pure_files_touch_nothing_of_the_world() -> None:
    wrong = []
    for path in FILES:
        if offends(path, PURE):
            continue
        wrong += [
            f"{path}:{line} imports {name}" for name, line, _ in source(path).imports if name.split(".")[0] in WORLD
        ]
        wrong += [f"{path}:{line} calls {name}" for name, line in source(path).calls if name in WORLDLY_CALLS]
    assert not wrong, "\n".join(wrong)


def test_every_file_has_a_docstring_and_a_readable_length() -> None:
    wrong = []
    for path in FILES:
        lines, docstring = source(path)[:2]
        if lines and not docstring:
            wrong.append(f"{path} has no docstring")
        if lines > LONGEST_FILE_LINES:
            wrong.append(f"{path} has {lines} lines")
    assert not wrong, "\n".join(wrong)


def test_each_class_has_its_own_name() -> None:
    homes: dict[str, list[Path]] = {}
    for path in FILES:
        for name in source(path).classes:
            homes.setdefault(name, []).append(path.relative_to(ROOT))
    assert not {name: paths for name, paths in homes.items() if len(paths) > 1}


def test_no_test_imports_from_another_test() -> None:
    """Code that tests share has its own module."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for name in re.findall(r"^\s*from (tests\.(?:\w+\.)*test_\w+) import", path.read_text(), re.MULTILINE)
    ]
    assert not wrong, "\n".join(wrong)
