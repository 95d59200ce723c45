"""The broker's password comes from a file or a credential, and is in nothing that a run writes or publishes."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiomqtt
import pytest

from monitor.access.access_list import _hashed
from monitor.access.credentials import address_of
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from tests import needs
from tests.fake_device import FakeDevice
from tests.mqtt.brokers import mosquitto
from tests.profiles import CALIBRATION, PROFILE

CANARY = "c4nary-in-the-c0al-mine"


def profile(folder: Path, mqtt: str) -> Path:
    path = folder / "m.toml"
    path.write_text(f"{PROFILE}{CALIBRATION}[display]\nenabled = false\n[mqtt]\n{mqtt}")
    return path


def secret(folder: Path, name: str = "word", text: str = CANARY + "\n", mode: int = 0o600) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


ACCOUNT = 'host = "127.0.0.1"\nusername = "u"\npassword_file = "secrets/word"\n'


def test_the_password_is_read_from_a_file_beside_the_profile(tmp_path: Path) -> None:
    secret(tmp_path, "secrets/word")
    address = address_of(load_profile(profile(tmp_path, ACCOUNT)))
    assert address.password == CANARY
    assert CANARY not in f"{address} {address!r}"


@pytest.mark.parametrize("name", ["secrets_word", "word"], ids=["of a folder", "of a file"])
def test_the_password_is_read_from_the_credential_that_systemd_passes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret(tmp_path, f"credentials/{name}", mode=0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert address_of(load_profile(profile(tmp_path, ACCOUNT))).password == CANARY


@pytest.mark.parametrize(
    ("text", "mode", "sentence"),
    [(CANARY, 0o644, "chmod 600"), (CANARY, 0o602, "chmod 600"), ("", 0o600, "is empty"), ("\n", 0o600, "is empty")],
)
def test_an_unusable_file_is_reported_without_its_content(text: str, mode: int, sentence: str, tmp_path: Path) -> None:
    secret(tmp_path, "secrets/word", text, mode)
    with pytest.raises(ConfigError, match=sentence) as caught:
        address_of(load_profile(profile(tmp_path, ACCOUNT)))
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("host", ["broker.lan", "192.0.2.1", "gym.local"])
def test_a_password_needs_tls_in_the_network(host: str, tmp_path: Path) -> None:
    secret(tmp_path, "secrets/word")
    account = ACCOUNT.replace("127.0.0.1", host)
    with pytest.raises(ConfigError, match="tls = true"):
        address_of(load_profile(profile(tmp_path, account)))
    assert address_of(load_profile(profile(tmp_path, account + "tls = true\n"))).tls


@needs.mosquitto
@pytest.mark.parametrize("right", [True, False], ids=["let in", "refused"])
def test_nothing_that_a_run_produces_contains_the_password(right: bool, tmp_path: Path) -> None:
    """Its state, recordings, output, what it published, and its command line."""
    secret(tmp_path, "secrets/word")
    accounts = tmp_path / "passwords"
    accounts.write_text(f"u:{_hashed(CANARY if right else 'another')}\n")
    received: list[bytes] = []

    async def story(port: int, command: list[str]) -> tuple[int | None, bytes]:
        environment = os.environ | {"STATE_DIRECTORY": str(tmp_path / "state")}
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        if right:
            async with aiomqtt.Client("127.0.0.1", port) as listener:
                await listener.subscribe("rep/#", 1)
                async for message in listener.messages:
                    received.append(bytes(message.payload))
                    if message.topic.value.endswith("/info"):
                        break
        else:
            while b"refuses the connection" not in b"".join(received):
                received.append(await process.stdout.readline())
                assert received[-1], received
        assert CANARY.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()  # noqa: ASYNC240 - procfs
        process.send_signal(signal.SIGTERM)
        output, _ = await process.communicate()
        return process.returncode, output

    with (
        mosquitto(tmp_path, more=f"password_file {accounts}\n") as broker,
        FakeDevice(tmp_path / "tty"),
    ):
        path = profile(tmp_path, ACCOUNT + f"port = {broker.port}\n")
        command = [sys.executable, "-m", "monitor", "run", "--verbose", "--config", str(path)]
        status, output = asyncio.run(story(broker.port, [*command, "--port", str(tmp_path / "tty")]))
    assert status == 0, output
    left = [file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file()]
    assert left
    for data in [*left, output, *received]:
        assert CANARY.encode() not in data
