"""`rep-monitor watch`: what it shows, in a real terminal and in a pipe."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from monitor.__main__ import main
from monitor.events import Drop, Jerk, SetStart
from monitor.exit_codes import ExitCode
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.connection import connect
from monitor.mqtt.client.viewer import Viewer
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import StatusMessage
from monitor.mqtt.contract.topics import TopicTree
from monitor.watch.watching import STALE_S, seen_of
from tests.ctrl_c import hears_ctrl_c
from tests.display.stage import CALM, DisplayStage
from tests.mqtt.stage import play, until

PATIENCE_S = 120.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def the_stage() -> Iterator[DisplayStage]:
    with DisplayStage(root="berlin/rep") as stage:
        yield stage


@pytest.fixture
def stage(the_stage: DisplayStage) -> DisplayStage:
    the_stage.new_session()
    the_stage.status()
    the_stage.info()
    the_stage.live(CALM)
    return the_stage


class Terminal:
    """The command on a pseudo-terminal of 80 x 24."""

    def __init__(self, *words: str, **environment: str) -> None:
        self._words = words
        self._environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **environment}
        self.text = ""

    def __enter__(self) -> Self:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        command = [sys.executable, "-m", "monitor", "watch", *self._words]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=self._environment, preexec_fn=hears_ctrl_c
        )
        self.slave = slave
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)

    def see(self, pattern: str) -> str:
        """Until what was drawn since the last look matches."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline_s, f"never seen: {pattern} in {self.text[-2000:]!r}"
            self.read()
        self.text = self.text[found.end() :]
        return found[0]

    def read(self) -> None:
        if select.select([self.master], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # its other end is gone
                self.text += os.read(self.master, 65536).decode(errors="replace")

    def end(self) -> int:
        deadline_s = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline_s, "it does not end"
            self.read()
        assert termios.tcgetattr(self.slave) == self.before  # the terminal is as it was
        return self.process.returncode


def test_it_shows_the_live_feedback_and_ends_with_q(stage: DisplayStage) -> None:
    with Terminal("--page", stage.url) as terminal:
        terminal.see("leg-press")
        terminal.see("IN BAND")
        stage.live(CALM, band="low", tension=0.6, cue="jerk")
        terminal.see("LOW")
        terminal.see("EASE")  # the page's word
        stage.event(Drop, duration_s=0.3, peak_g=0.3)
        terminal.see("Dropped")
        stage.silence()
        terminal.see("STALE")
        assert "█" not in terminal.see(r"(?s)STALE.*?CUE.*?no data")
        stage.live(CALM)
        terminal.see("IN BAND")
        stage.status(link="absent")
        terminal.see("the sensor box is not connected")
        stage.status(state="offline")
        terminal.see("the machine is off")
        os.write(terminal.master, b"q")
        assert terminal.end() == 0


def test_ctrl_c_ends_it_and_no_color_is_respected(stage: DisplayStage) -> None:
    with Terminal("leg-press", "--page", stage.url, NO_COLOR="1") as terminal:
        seen = terminal.see(r"(?s)leg-press.*?IN BAND.*?under load")
        assert not re.search(r"\x1b\[[0-9;]*3[0-7](?:;|m)", seen)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0


def test_a_broker_that_goes_and_comes_is_shown(stage: DisplayStage) -> None:
    with Terminal("--page", stage.url) as terminal:
        terminal.see("IN BAND")
        stage.break_broker()
        terminal.see("OFFLINE")
        stage.mend_broker()
        stage.info()
        terminal.see("IN BAND")
        os.write(terminal.master, b"Q")
        assert terminal.end() == 0


def test_in_a_pipe_it_prints_lines(stage: DisplayStage) -> None:
    command = [sys.executable, "-m", "monitor", "watch", "--page", stage.url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, text=True, env=environment, preexec_fn=hears_ctrl_c) as process:
        assert process.stdout
        line = process.stdout.readline()
        while "IN BAND" not in line:
            assert line
            line = process.stdout.readline()
        assert re.fullmatch(
            r" +\d+:\d\d\.\d  IN BAND  up        rep 2    under load  42\.0 s  tension  38\.0 s\n", line
        )
        stage.event(SetStart)
        stage.event(Jerk, cause="mid", peak_g=0.3, duration_s=None)
        while "Heave" not in line:
            assert line
            line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "\x1b" not in line + rest


def test_data_is_stale_after_a_quarter_of_a_second() -> None:
    async def story() -> None:
        async def never() -> tuple[TopicTree, Address]:
            raise AssertionError

        viewer = Viewer(never)
        viewer.connected, viewer.status = True, StatusMessage(state="online", conn=1, link="live")
        viewer._take_live(payload_live(1.0))
        came_s = viewer.live_at_s
        assert came_s is not None
        assert seen_of(viewer, came_s + STALE_S).state == "live"
        assert seen_of(viewer, came_s + STALE_S + 0.001).state == "stale"
        viewer._take_live(payload_live(1.0))  # the same moment again
        assert viewer.live_at_s == came_s
        viewer._take_live(payload_live(1.04))
        assert viewer.live_at_s > came_s
        viewer._take_live(payload_live(1.08, feedback_hz=1.0))
        assert seen_of(viewer, viewer.live_at_s + 1.5).state == "live"
        assert seen_of(viewer, viewer.live_at_s + 1.501).state == "stale"
        for field in ("now", "reason"):
            assert bool(getattr(seen_of(viewer, came_s + 9), field)) is (field == "reason")

    assert STALE_S <= 0.25
    asyncio.run(story())


def payload_live(t_s: float, **more: float) -> Any:
    import msgspec

    from monitor.mqtt.contract.messages import LiveMessage

    return msgspec.convert(msgspec.to_builtins(CALM) | {"t_s": t_s, "session": "s"} | more, LiveMessage)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--page", "http://x/", "--host", "h"], "exclude each other"),
        (["--tls"], "--host"),
        (["--root", "berlin/rep"], "--host"),
        (["--host", "127.0.0.1", "--root", "berlin/"], 'such as "rep" or "berlin/rep"'),
        (["--page", "http://gym-box:99999/?token=secret"], "is not an address"),
        (["--page", "http://[::1"], "is not an address"),
        (["--page", "ftp://gym-box/"], "is not an address"),
        (["--config", "nothing.toml"], "nothing.toml"),
        (["--host", "127.0.0.1", "--user", "u", "--password-file", "nothing"], "nothing"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", *words]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert sentence in err
    assert "secret" not in err


@pytest.mark.parametrize("said", [b'{"kind":"\xff"}', b'{"v":' + b"[" * 5000, b"{}", b"null"])
def test_unreadable_messages_are_counted_and_skipped(said: bytes) -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker:
            address = Address(host="127.0.0.1", port=broker.port)
            viewer = Viewer(_here("m", address))
            following = asyncio.create_task(viewer.run())
            async with connect(address, "rep-monitor-m") as daemon:
                await until(lambda: viewer.connected)
                for kind in ("status", "info", "set", "event/jerk", "live/feedback"):
                    await daemon.publish(payload.Packet(f"rep/m/{kind}", said, 1, False))
                await daemon.publish(payload.status(TopicTree("m"), StatusMessage(state="online", conn=1)))
                await until(lambda: viewer.status is not None)
                await until(lambda: viewer.malformed == 5)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    play(story())


def _here(machine: str, address: Address) -> Any:
    async def find() -> tuple[TopicTree, Address]:
        return TopicTree(machine), address

    return find
