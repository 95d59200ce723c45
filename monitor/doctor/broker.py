"""The facts of a broker: whether it answers, whom it lets in, what it takes; and what a running daemon tells there."""

import asyncio
import os
import time
from dataclasses import dataclass

import msgspec

from monitor.access.credentials import address_of
from monitor.doctor.listening import TALLIES, Heard
from monitor.mqtt.client.connection import Address, BrokerError, BrokerRefuses, PublishRefused, connect
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Ack, Info
from monitor.mqtt.contract.payload import Packet
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError
from monitor.state.endpoints import Endpoints

INFO_WITHIN_S = 13.0  # the daemon tells it every 5 seconds: enough for two of them
INFO_SLACK = 0.1  # of the rates: the times between two of them are ours, not the board's


@dataclass(kw_only=True)
class Asked:
    """`address` None: there is no broker to ask."""

    address: Address | None = None
    own: bool = False
    trouble: str | None = None
    refused: bool = False
    anonymous: bool | None = None
    refused_topic: str | None = None


def address(profile: Profile, up: Endpoints | None) -> Address | None:
    """Raises ConfigError where the profile's account cannot be used."""
    if profile.mqtt.host is not None:
        return address_of(profile)
    return None if up is None else Address(host=up.broker_host, port=up.broker_port)


async def ask(profile: Profile, up: Endpoints | None) -> Asked:
    """Come in as the daemon would, and as nobody; write where nobody minds."""
    asked = Asked(own=profile.mqtt.host is None)
    try:
        asked.address = address(profile, up)
    except (ConfigError, OSError) as error:
        asked.trouble, asked.refused = str(error), True
        return asked
    if asked.address is None:
        return asked
    try:
        async with connect(asked.address, _client_id("daemon")) as connection:
            if not asked.own:
                answer = Ack(id="doctor", ok=True, stamp_s=time.time())
                topic = payload.topic(profile.machine.id, "ack", "doctor")
                try:
                    await connection.publish(Packet(topic, msgspec.json.encode(answer), 1, False))
                except PublishRefused:
                    asked.refused_topic = topic
    except BrokerError as error:
        asked.trouble, asked.refused = str(error), isinstance(error, BrokerRefuses)
        return asked
    if not asked.own:
        asked.anonymous = await _lets_in(asked.address)
    return asked


async def _lets_in(known: Address) -> bool | None:
    nobody = msgspec.structs.replace(known, username=None, password=None)
    try:
        async with connect(nobody, _client_id("nobody")):
            return True
    except BrokerRefuses:
        return False
    except BrokerError:
        return None


async def ask_daemon(profile: Profile, known: Address) -> Heard:
    """What the daemon that has the port tells of it."""
    told: list[tuple[float, Info]] = []
    topic = payload.topic(profile.machine.id, "info")
    try:
        async with connect(known, _client_id("info")) as connection:
            await connection.subscribe([topic])
            try:
                async with asyncio.timeout(INFO_WITHIN_S):
                    async for message in connection.messages():
                        if message.retained and told:
                            continue
                        told.append((time.monotonic(), msgspec.json.decode(message.payload, type=Info)))
                        if len(told) == 3:  # the first is as old as it likes
                            break
            except TimeoutError:
                pass  # what has come by then is judged
    except BrokerError as error:
        return Heard(trouble=f"the daemon has the port, and its broker cannot be asked ({error})")
    if not told:
        return Heard(trouble=f"the daemon has the port, and tells nothing on {topic} that this account may read")
    return heard_of([(at_s, info) for at_s, info in told])


def heard_of(told: list[tuple[float, Info]]) -> Heard:
    """What follows from one or more `info`, each with when it came."""
    newest = told[-1][1]
    firmware, link = newest.firmware, newest.link
    heard = Heard(no_rest="the daemon has the port: it tells no noise", coarse=INFO_SLACK)
    if firmware is not None:
        heard.version, heard.protocol, heard.promised_hz = firmware.firmware, firmware.protocol, firmware.force_rate_hz
    elif link.state != "live":
        heard.trouble = link.detail or f"the daemon says that the link is {link.state}"
    heard.counts = {name: link.counts.get(name, 0) for name in TALLIES}
    heard.device = dict(link.device)
    heard.slips = (0, link.device.get("enc_illegal", 0))
    heard.drops = (link.counts.get("drops_a_minute", 0), link.state == "unstable")
    if newest.calibration is not None:
        heard.drift = newest.calibration.zero_n, newest.calibration.drift
    if len(told) >= 3:
        (begin_s, begin), (end_s, end) = told[-2], told[-1]
        before, after = begin.link.counts, end.link.counts
        took_s = end_s - begin_s
        if took_s > 1 and before.get("force_samples", 0) <= after.get("force_samples", -1):
            heard.position_hz = (after["position_samples"] - before["position_samples"]) / took_s
            heard.force_hz = (after["force_samples"] - before["force_samples"]) / took_s
    return heard


def _client_id(what: str) -> str:
    """Not the daemon's: it would be thrown off."""
    return f"rep-monitor-doctor-{what}-{os.getpid()}"
