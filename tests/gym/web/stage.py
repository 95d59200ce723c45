"""The gym's REST interface in this process, and screens that ask it, without a port."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from httpx import ASGITransport, AsyncClient, Response

from monitor.display.admission import COOKIE
from monitor.gym.collector.collector import Collector
from monitor.gym.collector.machine import CollectedMachine, MachineNow, Place
from monitor.gym.configuration import GymConfig
from monitor.gym.database.database import Database
from monitor.gym.web.app import make_app
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import Command
from monitor.mqtt.contract.messages import AckMessage
from monitor.mqtt.contract.topics import TopicTree

OWN_TOKEN = "0123456789abcdefghijklmn"
BASE = "http://127.0.0.1:8100"
Key = tuple[str, str]


class StillCollector(Collector):
    """Has no broker: a test says what is known of the machines. Commands that `refuses` does not name are accepted."""

    def __init__(self, database: Database) -> None:
        super().__init__(Address(host="127.0.0.1", port=1), ["rep"], database)
        self.machines: dict[Key, CollectedMachine] = {}
        self.sentences: list[str] = []
        self.sent: list[Command] = []
        self.refuses: dict[str, str] = {}  # a command's class -> why

    def add(self, machine: str, online: bool = True) -> CollectedMachine:
        tree = TopicTree(machine)
        added = self.machines[tree.root, machine] = CollectedMachine(tree, Place(), time.time())
        added.take_status(b'{"v":1,"state":"%s","conn":1}' % (b"online" if online else b"offline"))
        return added

    @property
    def floor(self) -> dict[Key, MachineNow]:
        return {key: machine.now() for key, machine in self.machines.items()}

    @property
    def trouble(self) -> list[str]:
        return [*self.sentences, *filter(None, (machine.trouble for machine in self.machines.values()))]

    async def command(self, site: str, machine: str, command: Command) -> AckMessage:
        self.sent.append(command)
        why = self.refuses.get(type(command).__name__)
        if why is None:
            self.machines[site, machine].accepted(command, time.time())
        return AckMessage(id="x", ok=why is None, stamp_s=1.0, error="refused" if why else None, detail=why)


class Screen:
    """Sends requests with its cookies, as a browser would."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def ask(self, method: str, path: str, json: Any = None, **options: Any) -> Response:
        if json is not None:
            options["json"] = json
        return self._runner.run(self.client.request(method, path, **options))

    def get(self, path: str) -> Any:
        """The JSON of a good answer."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, json: Any) -> Any:
        answer = self.ask(method, path, json)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, json: Any = None, **options: Any) -> tuple[int, str]:
        """The status, and the sentence."""
        answer = self.ask(method, path, json, **options)
        assert list(answer.json()) == ["error"], answer.text
        return answer.status_code, answer.json()["error"]


class WebStage:
    """Made by `web_stage`."""

    def __init__(self, database: Database, runner: asyncio.Runner) -> None:
        self.database = database
        self.collector = StillCollector(database)
        self.app = make_app(database, self.collector, GymConfig(), OWN_TOKEN)
        self.trainer = self.screen(httpx.Cookies({COOKIE: OWN_TOKEN}), runner)
        self._runner = runner

    def screen(
        self, cookies: httpx.Cookies | None = None, runner: asyncio.Runner | None = None, peer: str = "10.0.0.7"
    ) -> Screen:
        """A new one, which is not let in."""
        transport = ASGITransport(self.app, client=(peer, 40_000), raise_app_exceptions=False)
        return Screen(AsyncClient(transport=transport, base_url=BASE, cookies=cookies), runner or self._runner)

    def run(self, story: Coroutine[Any, Any, None]) -> None:
        self._runner.run(story)

    def paired(self, role: str, name: str = "") -> Screen:
        """A new screen that was let in with a code."""
        screen = self.screen()
        code = self.trainer.send("POST", "/api/codes", {"role": role})["code"]
        screen.send("POST", "/api/pair", {"code": code, "name": name})
        return screen


@contextmanager
def web_stage(database: Database) -> Iterator[WebStage]:
    with asyncio.Runner() as runner:
        yield WebStage(database, runner)
