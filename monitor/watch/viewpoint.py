"""Finds the broker of a machine from the command's arguments: a page, a broker or a profile."""

import asyncio
from functools import partial
from pathlib import Path

from monitor.access.credentials import address_of, password_in
from monitor.display.address import addresses, is_open, page_url
from monitor.display.visit import DEFAULT_PAGE, page_address, visit
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.viewer import Find, sole_machine
from monitor.mqtt.contract.roles import Role
from monitor.mqtt.contract.topics import ROOT, ROOT_WORDS, TopicTree, is_root
from monitor.profile.profile import MQTT_PORT, MQTT_TLS_PORT, Profile
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from monitor.state.folders import state_directory


def viewpoint(
    machine: str | None = None,
    config: Path | None = None,
    page: str | None = None,
    root: str | None = None,
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
    password_file: Path | None = None,
    tls: bool = False,
    ca_file: Path | None = None,
) -> Find:
    """Raises ConfigError where the arguments contradict each other."""
    profile = load_profile(config) if config else None
    machine = machine or (profile.machine.id if profile else None)
    account = (root, port, user, password_file, tls or None)
    if root is not None and not is_root(root):
        raise ConfigError(f"--root must have {ROOT_WORDS}")
    if page and (host or any(account)):
        raise ConfigError("--page and --host exclude each other: give one of them")
    if host is None and profile is not None and profile.mqtt.host is not None and page is None:
        address = _of_profile(profile, port, user, password_file)
    elif host is not None:
        secure = tls or ca_file is not None
        address = Address(
            host=host,
            port=port or (MQTT_TLS_PORT if secure else MQTT_PORT),
            tls=secure,
            ca_file=None if ca_file is None else str(ca_file),
            username=user,
            password=password_in(password_file) if password_file else None,
        )
    elif any(account) or (ca_file is not None and page is None):
        options = "--root, --port, --user, --password-file, --tls and --ca-file"
        raise ConfigError(f"{options} need a broker: name it with --host")
    else:
        return _page(page or (_own_page(profile) if profile else DEFAULT_PAGE), machine, page is None, ca_file)
    root = root or (profile.mqtt.root if profile else ROOT)
    return _always(TopicTree(machine, root), address) if machine else sole_machine(address, root)


def _page(url: str, machine: str | None, nearby: bool, ca_file: Path | None) -> Find:
    page_address(url)

    async def find() -> tuple[TopicTree, Address]:
        return await asyncio.to_thread(partial(visit, url, machine, nearby=nearby, ca_file=ca_file))

    return find


def _always(tree: TopicTree, address: Address) -> Find:
    async def find() -> tuple[TopicTree, Address]:
        return tree, address

    return find


def _of_profile(profile: Profile, port: int | None, user: str | None, password_file: Path | None) -> Address:
    """The profile's broker, with its account unless another one is given, but not with the daemon's client id."""
    mqtt = profile.mqtt
    assert mqtt.host is not None
    address = address_of(profile)
    username = address.username if user is None else user
    password = address.password if user is None else None
    return Address(
        host=mqtt.host,
        port=port or mqtt.port,
        tls=mqtt.tls,
        ca_file=address.ca_file,
        username=username,
        password=password_in(password_file) if password_file else password,
    )


def _own_page(profile: Profile) -> str:
    """The address of the page, with a display's token where the page needs one."""
    display = profile.display
    url = page_url(display.bind, display.port)
    if not is_open(display.bind):
        return url
    return addresses(profile, state_directory(profile.machine.id), url)[Role.DISPLAY]
