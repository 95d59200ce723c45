"""Runs the real programs in separate processes: `rep-monitor run`, `rep-monitor simulate`, and a consumer."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.mqtt.client.address import Address
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import Ledger, ReceivedRecord
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.store import Store
from monitor.store.stored import StoredEvent

MACHINE = "e2e"  # the name in the profile of test_end_to_end
PATIENCE_S = 120.0


class Program:
    """A command of rep-monitor that can be started, stopped, killed and restarted; its log is in a file."""

    def __init__(
        self,
        log: Path,
        *words: str | Path,
        environment: dict[str, str] | None = None,
        module: str = "monitor",
        link: Path | None = None,
    ) -> None:
        """`link`: to its pty, removed before a kill, because the kernel gives the pty's number to another program."""
        self.log = log
        self._link = link
        self.starts = 0
        self._said = log.with_suffix(".out")  # it reports here that it runs
        self._command = [sys.executable, "-m", module, *map(str, words)]
        self._environment = os.environ | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as log, self._said.open("wb") as said:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=said, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if self._link:
                self._link.unlink(missing_ok=True)
            process.kill()
            process.wait()

    def stop(self) -> int:
        """Stops it as a service manager does, once it has started. Returns the exit status."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.is_up:
            assert time.monotonic() < deadline_s, f"it is not up: {self.lines}"
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Returns the exit status when it has ended by itself; kills it if it does not come to that."""
        process, self._process = self._process, None
        assert process is not None
        try:
            return process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def is_up(self) -> bool:
        """True once it has reported that it runs."""
        return bool(self._said.stat().st_size)

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def a_daemon(
    folder: Path,
    profile: Path,
    port: str | Path,
    environment: dict[str, str] | None = None,
    module: str = "monitor",
) -> Program:
    """A daemon, not started yet; its state is in `folder/state`, or in STATE_DIRECTORY."""
    whole = {"STATE_DIRECTORY": str(folder / "state")} | (environment or {})
    words = ("run", "--config", profile, "--port", port)
    return Program(folder / "daemon.log", *words, environment=whole, module=module)


def a_lifter(folder: Path, profile: Path, speed: float, seed: int = 1) -> Program:
    """A lifter who does set after set at `folder/tty`; not started yet."""
    link = folder / "tty"
    words = ("simulate", "--config", profile, "--link", link, "--speed", f"{speed:g}", "--seed", str(seed))
    return Program(folder / "lifter.log", *words, link=link)


class Collector:
    """A consumer that can disconnect, and keeps its place like one in another process."""

    def __init__(self, address: Address) -> None:
        self.records: list[ReceivedRecord] = []
        self.ledger = Ledger()
        self._address = address
        self._task: asyncio.Task[None] | None = None

    def come(self) -> None:
        self.ledger = Ledger(self.ledger.store_id, self.ledger.seq)
        consumer = Consumer(self._address, TopicTree(MACHINE), "collector", self._deliver, self.ledger)
        self._task = asyncio.create_task(consumer.run())

    async def go(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _deliver(self, record: ReceivedRecord) -> None:
        self.records.append(record)

    @property
    def seqs(self) -> list[int]:
        return [record.seq for record in self.records]


def on_disk(store: Path) -> list[StoredEvent]:
    with Store(store, read_only=True) as reader:
        return reader.after(0, 10_000_000)


def last_seq(store: Path) -> int:
    """The last seq on disk, read without the rest."""
    with Store(store, read_only=True) as reader:
        return reader.last_seq


async def until(what: Callable[[], object], patience_s: float = PATIENCE_S) -> float:
    """Waits for a condition. Returns the seconds that it took."""
    began_s = time.monotonic()
    while not what():
        assert time.monotonic() - began_s < patience_s, f"not within {patience_s:g} s"
        await asyncio.sleep(0.02)
    return time.monotonic() - began_s
