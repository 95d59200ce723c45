"""A private PostgreSQL on a free port, which can be killed and started again."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from monitor.gym.database.database import open_database
from tests import needs
from tests.mqtt.brokers import free_port

WITHIN_S = 60.0
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 16MB
max_connections = 40
"""


class PostgreSQL:
    """A cluster of its own, run as another user where the tests run as root; the server refuses to run as root."""

    def __init__(self) -> None:
        self.port = free_port()
        self._user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="rep-monitor-postgresql-"))
        if self._user:
            shutil.chown(self._folder, "postgres", "postgres")
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        options = ("--username=gym", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        self._run("initdb", *options, "-D", str(self._data))
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(f"{SETTINGS}port = {self.port}\n")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Also after `kill`: no new server can start while a process of the killed one still ends."""
        until_s = time.monotonic() + WITHIN_S
        while True:
            if self._process is None or self._process.poll() is not None:
                self._process = self._begin()
            try:
                self._connect("postgres").close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < until_s, f"PostgreSQL does not answer (status {self._process.poll()})"
                time.sleep(0.05)

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [needs.path("postgres"), "-D", str(self._data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            **self._user,
        )

    def kill(self) -> None:
        """As a power cut: the server and its processes, each in a session of its own, are killed and have ended."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)  # it begins no other one
            own = self._process.pid
            children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
            processes = [os.pidfd_open(int(child)) for child in children]
            for process in processes:
                signal.pidfd_send_signal(process, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
            self._process = None
            for process in processes:
                select.select([process], [], [])  # it can be read when the process has ended
                os.close(process)
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def new_database(self) -> str:
        """The url of one with empty tables: a copy of the first, which costs less than the migrations."""
        if self._databases == 0:
            open_database(self._created("template1")).close()
        return self._created("gym1")

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def _created(self, template: str) -> str:
        self._databases += 1
        name = f"gym{self._databases}"
        with self._connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"postgresql://gym@127.0.0.1:{self.port}/{name}"

    def _connect(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(host="127.0.0.1", port=self.port, user="gym", dbname=database, autocommit=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [needs.path(program), *arguments], check=True, capture_output=True, cwd=self._folder, **self._user
        )
