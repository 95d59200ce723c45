"""`rep-monitor gym` as a process: its configuration, and everybody killed while events come."""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.gym.configuration import load_gym
from monitor.gym.database.database import open_database
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.topics import TopicTree
from monitor.profile.toml_document import ConfigError
from tests import needs
from tests.gym.floor import Machine, complete, machines, stored
from tests.gym.postgresql import PostgreSQL
from tests.mqtt.brokers import Mosquitto, mosquitto
from tests.mqtt.stage import play
from tests.soak import soak, soak_only

ROOT = Path(__file__).parents[2]


def test_the_example_has_every_key_with_its_default(tmp_path: Path) -> None:
    example = ROOT / "configs" / "gym.toml"
    assert load_gym(example) == load_gym(None)
    text = example.read_text()
    open_keys = re.sub(r"(?m)^# (\w+ = )", r"\1", text)
    (tmp_path / "gym.toml").write_text(open_keys)
    config = load_gym(tmp_path / "gym.toml")
    for table in (config.mqtt, config.store, config.display):
        for name in table.__struct_fields__:
            assert re.search(rf"(?m)^{name} = ", open_keys), f"{name} is not explained"


def test_a_wrong_key_names_the_known_ones(tmp_path: Path) -> None:
    file = tmp_path / "gym.toml"
    for text, said in [
        (
            "[mqtt]\nrots = []",
            r'gym.toml:2: \[mqtt\] Unknown key "rots". Did you mean "roots"\? Known keys: host, port',
        ),
        ("[mqtt]\nroots = []", r"\[mqtt\] roots must be"),
        ("[mqtt]\nroots = ['rep/#']", r"\[mqtt\] roots must be"),
        ("[people]\n", r'Unknown table "people".*Known tables: mqtt, store, display'),
        ("[store]\nkeep_days = 0", r"\[store\] keep_days must be"),
    ]:
        file.write_text(text)
        with pytest.raises(ConfigError, match=said):
            load_gym(file)


def test_a_gym_file_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", str(ROOT / "configs" / "gym.toml")]) == 0
    said = capsys.readouterr().out
    assert "gym.toml: ok" in said
    assert "its own, port 1883, for this computer only" in said
    assert "http://127.0.0.1:8100/" in said
    file = tmp_path / "g.toml"
    file.write_text("[mqtt]\nhost = 'b'\nroots = ['a/rep', 'b/rep']\n[store]\nurl = 'postgresql://gym:secret@db/gym'\n")
    assert main(["config", "check", str(file)]) == 0
    said = capsys.readouterr().out
    assert "a/rep, b/rep" in said
    assert "postgresql://gym:***@db/gym" in said
    for text, said in [
        ("[display]\nport = 8105\n", "http://127.0.0.1:8105/"),  # every table may stand alone
        ("[mqtt]\nhost = 'b'\n", "b, port 1883"),
        ("[store]\nkeep_days = 3\n", "kept for 3 days"),
    ]:
        file.write_text(text)
        assert main(["config", "check", str(file)]) == 0
        assert said in capsys.readouterr().out
    file.write_text("[store]\nkeep_days = 0\n[display]\nprot = 1\n")
    assert main(["config", "check", str(file)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "[store] keep_days must be" in first
    assert 'Unknown key "prot". Did you mean "port"?' in second
    for text, said in [
        ("[mqtt]\nhost = 'b'\n[record]\nidle_minutes = 1\n", "[machine]"),  # a table of a profile alone
        ("[mqtt]\nhost = 'b'\n[stroe]\n", 'Unknown table "stroe". Did you mean "store"?'),
    ]:
        file.write_text(text)
        assert main(["config", "check", str(file)]) == 2
        assert said in capsys.readouterr().err


def test_a_relative_database_is_in_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gym.toml"
    for url, expected in [
        ("sqlite:///gym.db", f"sqlite:///{tmp_path}/gym.db"),
        ("sqlite+pysqlite:///a/gym.db?timeout=3", f"sqlite+pysqlite:///{tmp_path}/a/gym.db?timeout=3"),
        ("sqlite:////var/gym.db", "sqlite:////var/gym.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),  # refused when it is opened
        ("postgresql://gym@db/gym", "postgresql://gym@db/gym"),
    ]:
        file.write_text(f"[store]\nurl = '{url}'\n")
        assert load_gym(file).database_url == expected


class GymProcess:
    """The command, which can be killed and started again."""

    def __init__(self, config: Path) -> None:
        self._command = [sys.executable, "-m", "monitor", "gym", "--config", str(config)]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("gym: broker ")

    def kill(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def stop(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.terminate()
        status = self._process.wait()
        self._process.stdout.close()
        return status


def happen(floor: Sequence[Machine], count: int) -> None:
    for machine in floor:
        machine.jerks(count)


async def begin_to_be_collected(floor: Sequence[Machine], url: str) -> None:
    """Events happen on each machine. Returns when the first of them are stored and the others are on their way."""
    before = sum(machine.store.last_seq for machine in floor)
    happen(floor, 20)
    with contextlib.closing(open_database(url)) as database:
        while await asyncio.to_thread(stored, database) <= before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@needs.mosquitto
@pytest.mark.parametrize(
    "kind", [pytest.param("sqlite", marks=[soak, soak_only]), pytest.param("postgresql", marks=needs.postgresql)]
)
def test_nothing_is_lost_or_doubled_whoever_is_killed(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    url = f"sqlite:///{tmp_path / 'gym.db'}" if server is None else server.new_database()
    trees = [TopicTree(f"machine-{number}") for number in range(3)]

    async def story() -> None:
        with mosquitto(tmp_path) as broker:
            (tmp_path / "gym.toml").write_text(
                f"[mqtt]\nhost = '127.0.0.1'\nport = {broker.port}\nanswers_at_once = 2\n[store]\nurl = '{url}'\n"
                "[display]\nenabled = false\n"
            )
            gym = GymProcess(tmp_path / "gym.toml")
            victims: list[GymProcess | Mosquitto | PostgreSQL] = [gym, broker, *([server] if server else [])]
            try:
                await asyncio.to_thread(gym.start)
                async with machines(Address(host="127.0.0.1", port=broker.port), tmp_path, trees) as floor:
                    for victim in victims:
                        await begin_to_be_collected(floor, url)
                        victim.kill()
                        happen(floor, 5)
                        await asyncio.to_thread(victim.start)
                        happen(floor, 5)
                    with contextlib.closing(open_database(url)) as database:
                        await complete(database, floor)
                assert await asyncio.to_thread(gym.stop) == 0
            finally:
                gym.kill()

    play(story(), 240)
