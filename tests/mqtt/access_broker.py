"""A mosquitto with the accounts and the access list that `access broker` writes."""

import os
import subprocess
from pathlib import Path

import aiomqtt

from monitor.access.access_list import _hashed, make
from tests import needs
from tests.mqtt.brokers import free_port, replaced, wait_for_server

LENIENT = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = old
[old]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""  # the system allows everything, so that a refusal comes from our configuration


NAMES = ["localhost", "127.0.0.1"]


class Broker:
    """A mosquitto with the configuration that was written, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make(folder, ["leg-press", "chest-press"], NAMES)
        self.port, self.tls_port = free_port(), free_port()
        with (folder / "acl").open("a") as more:  # a witness, to distinguish a refusal from a slow broker
            more.write("\nuser witness\ntopic readwrite #\n")
        with (folder / "passwords").open("a") as more:
            more.write(f"witness:{_hashed('witness')}\n")
        here = {"1883": str(self.port), "8883": str(self.tls_port)}
        text = replaced((folder / "mosquitto.conf").read_text(), here)
        user = "user root\n" if os.geteuid() == 0 else ""
        (folder / "here.conf").write_text(user + text)
        command = [needs.path("mosquitto"), "-c", str(folder / "here.conf")]
        (folder / "openssl.cnf").write_text(LENIENT)
        environment = os.environ | {"OPENSSL_CONF": str(folder / "openssl.cnf")}
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment)
        wait_for_server(self._process, self.port, self.tls_port)

    def password(self, account: str) -> str:
        path = self.folder / "secrets" / account
        return path.read_text().strip() if path.exists() else account

    def client(self, account: str | None, version: int = 4) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1",
            self.port,
            username=account,
            password=None if account is None else self.password(account),
            protocol=aiomqtt.ProtocolVersion(version),
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
