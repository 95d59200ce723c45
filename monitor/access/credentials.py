"""The broker's address, with the account that the profile names.

The password is in a file of its own, or in the credential of the same name that systemd passes to the service. It is
never in the profile and never printed: an `Address` hides it.
"""

import ipaddress
from pathlib import Path
from typing import Protocol

from monitor.mqtt.client.address import Address
from monitor.profile.profile import BrokerSettings
from monitor.profile.toml_document import ConfigError
from monitor.state.handed_over import handed_over
from monitor.state.small_file import read_small

READABLE_BY_ALL = 0o007


class NamesABroker(Protocol):
    """A machine's profile, or the gym's configuration."""

    @property
    def mqtt(self) -> BrokerSettings: ...


def address_of(profile: NamesABroker) -> Address:
    """Raises ConfigError if the account cannot be used, or if its password would cross the network unencrypted."""
    mqtt = profile.mqtt
    assert mqtt.host is not None
    if mqtt.username is not None and not mqtt.tls and not _is_this_machine(mqtt.host):
        raise ConfigError(
            f"[mqtt] host {mqtt.host} is another computer, and without TLS the network can read the password:"
            " set tls = true (`rep-monitor access broker` makes the certificates)"
        )
    return Address(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=None if mqtt.password_file is None else password_in(Path(mqtt.password_file)),
        tls=mqtt.tls,
        ca_file=None if mqtt.ca_file is None else str(handed_over(Path(mqtt.ca_file))),
        client_id=mqtt.client_id,
    )


def password_in(path: Path) -> str:
    """The first line of the file. Raises ConfigError if other users may read the file, or if it is empty."""
    file = handed_over(path)
    if file.stat().st_mode & READABLE_BY_ALL:
        raise ConfigError(f"{file} can be read by every user of this computer: chmod 600 {file}")
    lines = read_small(file).decode(errors="replace").splitlines()
    if not lines or not lines[0].strip():
        raise ConfigError(f"{file} is empty: put the broker's password in its first line")
    return lines[0].strip()


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
