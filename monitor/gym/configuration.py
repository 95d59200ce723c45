"""Reads and checks the gym's configuration, as a machine's profile is read: an unknown key is an error."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.display.address import page_url
from monitor.gym.collector.backlog import AT_ONCE
from monitor.mqtt.contract.messages import Name
from monitor.mqtt.contract.topics import ROOT, Root
from monitor.profile.profile import BrokerSettings, Profile, TcpPort
from monitor.profile.reading import absolute
from monitor.profile.settings import SettingsTable
from monitor.profile.toml_document import Document
from monitor.state.folders import state_directory

FOLDER = "gym"  # in the state folder
SQLITE_FILE = re.compile(r"(?P<kind>sqlite(\+\w+)?:///)(?!:memory:)(?P<path>[^?]+)(?P<options>.*)", re.DOTALL)
PASSWORD = re.compile(r":[^:@/]*@")  # of a database's url


class GymBroker(BrokerSettings, frozen=True, kw_only=True):
    """`[mqtt]`: the broker of all machines; without a host the gym starts its own on loopback."""

    client_id: Name = "gym"
    roots: Annotated[tuple[Root, ...], Meta(min_length=1)] = (ROOT,)
    answers_at_once: Annotated[int, Meta(ge=1, le=64)] = AT_ONCE


class DatabaseSettings(SettingsTable, frozen=True, kw_only=True):
    """`[store]`: the database."""

    url: str | None = None  # default: a SQLite file in the state folder
    keep_days: Annotated[int, Meta(ge=1)] | None = None  # of events; default: no limit


class GymPageSettings(SettingsTable, frozen=True, kw_only=True):
    """`[display]`: the gym's page, and the REST interface behind it."""

    enabled: bool = True
    bind: str = "127.0.0.1"
    port: TcpPort = 8100  # the pages of machines look for a free one from 8080 to 8099
    tls: str | None = None  # a folder with the page's certificate


class GymConfig(SettingsTable, frozen=True, kw_only=True):
    """The whole file."""

    mqtt: GymBroker = GymBroker()
    store: DatabaseSettings = DatabaseSettings()
    display: GymPageSettings = GymPageSettings()

    @property
    def database_url(self) -> str:
        """Raises StateError."""
        return self.store.url or f"sqlite:///{state_directory(FOLDER) / 'gym.db'}"

    @property
    def page_url(self) -> str | None:
        """For a person; None without a page."""
        display = self.display
        scheme = "http" if display.tls is None else "https"
        return page_url(display.bind, display.port, scheme) if display.enabled else None

    def summary(self) -> dict[str, str]:
        """What follows from the file, by name, for a person; without passwords."""
        mqtt, own = self.mqtt, self.mqtt.host is None
        database = "SQLite in the state folder" if self.store.url is None else PASSWORD.sub(":***@", self.store.url)
        return {
            "broker": f"its own, port {mqtt.port}, for this computer only" if own else f"{mqtt.host}, port {mqtt.port}",
            "topics": ", ".join(mqtt.roots),
            "database": database,
            "events": "kept" if self.store.keep_days is None else f"kept for {self.store.keep_days} days",
            "page": self.page_url or "none",
        }


def is_gym(document: Document) -> bool:
    """Whether a file is a gym's configuration: it has a table of one, and none that only a machine's profile has."""
    found, gyms, profiles = (document.table.keys(), set(GymConfig.__struct_fields__), set(Profile.__struct_fields__))
    return bool(found & gyms) and not found & (profiles - gyms)


def load_gym(path: Path | None) -> GymConfig:
    """The configuration in a TOML file; paths inside it are relative to its folder. Raises ConfigError."""
    if path is None:
        return GymConfig()
    document = Document.read(path)
    document.check(GymConfig)
    config = msgspec.convert(document.table, GymConfig)
    home = path.resolve().parent
    mqtt = msgspec.structs.replace(
        config.mqtt,
        password_file=absolute(home, config.mqtt.password_file),
        ca_file=absolute(home, config.mqtt.ca_file),
    )
    store = msgspec.structs.replace(config.store, url=_in_folder(home, config.store.url))
    display = msgspec.structs.replace(config.display, tls=absolute(home, config.display.tls))
    return msgspec.structs.replace(config, mqtt=mqtt, store=store, display=display)


def _in_folder(home: Path, url: str | None) -> str | None:
    """The address of a database; a relative file of SQLite is in that folder."""
    match = SQLITE_FILE.match(url or "")
    return url if match is None else f"{match['kind']}{absolute(home, match['path'])}{match['options']}"
