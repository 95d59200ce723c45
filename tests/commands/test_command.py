"""The command rep-monitor: its help, exit statuses and messages, and the few libraries that it loads at its start."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware_bridge import errors
from monitor import __main__ as command
from monitor import exit_codes
from monitor.exit_codes import KNOWN, TABLE, ExitCode
from monitor.profile.toml_document import ConfigError

FILES = (path.stem for path in (Path(command.__file__).parent / "commands").glob("[a-z]*.py"))
COMMANDS = sorted(name for name in FILES if "_" not in name)  # gym_people is a part of gym
CAUGHT_INSIDE = {"DamagedError"}  # the store repairs its file
CONFIGS = Path(__file__).parents[2] / "configs"


def rep_monitor(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "monitor", *words], capture_output=True, text=True, check=False)


def run_raising(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> Callable[[], int]:
    def run(args: argparse.Namespace) -> int:
        raise error

    module = SimpleNamespace(HELP="", add_arguments=lambda parser: None, run=run)
    monkeypatch.setattr(command, "_module", lambda name: module)
    return lambda: command.main([name])


def test_help_lists_every_command_and_the_exit_statuses() -> None:
    done = rep_monitor("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for meaning in TABLE.values():
        assert meaning in done.stdout
    for name in COMMANDS:
        assert f"\n    {name} " in done.stdout


def test_help_loads_no_library() -> None:
    code = "import sys; from monitor.__main__ import main\nmain(['--help'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "monitor.exit_codes" in loaded
    heavy = {"numpy", "aiomqtt", "paho", "amqtt", "rich", "msgspec", "mcap", "serial", "sqlite3", "asyncio", "tomllib"}
    assert not heavy & loaded
    assert not [name for name in loaded if name.startswith("monitor.commands")]


def test_the_version_is_the_distributions() -> None:
    done = rep_monitor("--version")
    assert done.stdout.split()[0] == "rep-monitor"
    assert done.stdout.split()[1][0].isdigit()


@pytest.mark.parametrize("words", [[], ["rnu"], ["config"], ["config", "check"], ["--no-such"]])
def test_a_wrong_command_line_is_bad_input(words: list[str]) -> None:
    done = rep_monitor(*words)
    assert done.returncode == ExitCode.BAD_INPUT
    assert "usage: rep-monitor" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    done = rep_monitor(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: rep-monitor {name}")


def test_config_check_prints_what_follows_from_a_profile() -> None:
    done = rep_monitor("config", "check", str(CONFIGS / "leg_press.toml"))
    assert done.returncode == 0
    for number in ("leg_press.toml: ok", "400 mm", "100 mm/s up", "below 10.0 mm/s", "above 0.080 g", "±10.0%"):
        assert number in done.stdout


def test_config_check_reports_all_errors(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text('[machine]\nid = "a"\nkind = "stak"\ntop = 1\n\n[protocol]\nname = "4/4"\npositive_s = 3.0\n')
    done = rep_monitor("config", "check", str(path))
    assert done.returncode == ExitCode.BAD_INPUT
    assert done.stdout == ""
    places = [line.split(": ")[1].removeprefix(f"{path}:") for line in done.stderr.splitlines()]
    assert places == ["8", "3", "4"]
    assert f'rep-monitor config: {path}:4: [machine] Unknown key "top". Did you mean "top_m"?' in done.stderr


def test_config_check_warns_of_what_run_refuses(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text('[machine]\nid = "a"\nkind = "stack"\n\n[protocol]\nname = "4/4"\n')
    done = rep_monitor("config", "check", str(path))
    assert done.returncode == ExitCode.DONE
    assert "`run` will refuse this" in done.stderr
    assert "[serial] port is missing" in done.stderr
    assert "Not calibrated yet" in done.stderr
    refused = rep_monitor("run", "--config", str(path))
    assert refused.returncode == ExitCode.DO_NOT_RESTART


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (ConfigError("it is wrong"), "replay", ExitCode.BAD_INPUT),
        (ConfigError("it is wrong"), "run", ExitCode.DO_NOT_RESTART),
        (errors.LinkError("it is wrong"), "run", ExitCode.FAILED),
        (errors.PortBusyError("it is wrong"), "ports", ExitCode.FAILED),
        (errors.ProtocolVersionError("it is wrong"), "run", ExitCode.DO_NOT_RESTART),
        (errors.WrongDeviceError("it\nis wrong"), "run", ExitCode.DO_NOT_RESTART),
        (errors.WrongDeviceError("it is wrong"), "ports", ExitCode.FAILED),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [errors.LinkError("it is wrong")])]), "run", ExitCode.FAILED),
    ],
)
def test_trouble_is_one_sentence_and_a_status(
    error: Exception,
    name: str,
    status: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_raising(monkeypatch, name, error)() == status
    assert capsys.readouterr() == ("", f"rep-monitor {name}: it is wrong\n")


def test_a_file_that_is_not_there_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = FileNotFoundError(2, "No such file or directory", "a.csv")
    assert run_raising(monkeypatch, "replay", error)() == ExitCode.BAD_INPUT
    assert capsys.readouterr().err == "rep-monitor replay: a.csv: no such file or directory\n"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        BrokenPipeError("a socket's"),
        ExceptionGroup("tasks", [errors.LinkError("known"), ValueError("a bug")]),
    ],
)
def test_a_bug_keeps_its_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(type(error)) as caught:
        run_raising(monkeypatch, "run", error)()
    assert caught.value is error


def test_ctrl_c_causes_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_raising(monkeypatch, "replay", KeyboardInterrupt())() == ExitCode.INTERRUPTED


def test_a_reader_that_closes_the_output_causes_no_traceback() -> None:
    words = [sys.executable, "-m", "monitor", "config", "check", str(CONFIGS / "leg_press.toml")]
    reader, output = os.pipe()
    os.close(reader)  # before the command begins to write
    with open(output, "wb") as closed:
        done = subprocess.run(words, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (ExitCode.FAILED, "")


def test_every_known_error_is_still_where_the_table_says() -> None:
    for name in KNOWN:
        module, _, kind = name.rpartition(".")
        error = getattr(__import__(module, fromlist=[kind]), kind)
        assert f"{error.__module__}.{error.__qualname__}" == name
        assert (
            exit_codes.exit_code(error("f", "m", "p") if issubclass(error, OSError) else error("x"), "replay")
            is not None
        )


def test_every_error_that_a_person_can_act_on_has_a_status() -> None:
    root = Path(command.__file__).parents[1]
    for path in [*(root / "monitor").rglob("*.py"), *(root / "firmware_bridge").rglob("*.py")]:
        for kind in re.findall(r"^class (\w+Error)\(Exception\)", path.read_text(), re.MULTILINE):
            if kind in CAUGHT_INSIDE:
                continue
            assert ".".join([*path.relative_to(root).with_suffix("").parts, kind]) in KNOWN


def test_a_daemon_beside_a_broker_loads_nothing_that_it_does_not_use() -> None:
    code = "import sys, firmware_bridge.serial_port, monitor.daemon.serve\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"monitor.mqtt.broker.relay", "monitor.record.recorder"} <= loaded
    assert not {"amqtt.broker", "yaml"} & loaded, "they take 2 MB"
    assert not {"monitor.record.session_reader", "monitor.record.scan", "monitor.playback"} & loaded, "it only writes"
    assert not {"numpy.fft", "numpy.ma", "numpy.polynomial", "numpy.random"} & loaded, "numpy loads them when used"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_loads_no_library_either(name: str) -> None:
    code = f"import sys; from monitor.__main__ import main\nmain(['{name}', '--help'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "aiomqtt", "paho", "amqtt", "rich", "msgspec", "mcap", "websockets"}
    assert not heavy & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["demo", "--port", "99999"], "'99999' is not a whole number from 1 to 65535"),
        (["watch", "--host", "h", "--port", "-1"], "'-1' is not a whole number from 1 to 65535"),
        (["ports", "--baud", "0"], "'0' is not a whole number from 1200 to 4000000"),
    ],
)
def test_numbers_that_cannot_be_are_refused_at_the_door(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(words) == ExitCode.BAD_INPUT
    assert message in capsys.readouterr().err
