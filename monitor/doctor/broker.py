"""Facts from a broker: reachability, access rights, and the `info` that a running daemon publishes there."""

import asyncio
import os
import time
from dataclasses import dataclass

import msgspec

from monitor.access.credentials import address_of
from monitor.doctor.listening import FRAME_COUNTS, BoardReport
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.channel import BrokerError, BrokerRefuses, PublishRefused
from monitor.mqtt.client.connection import connect
from monitor.mqtt.contract.messages import AckMessage, InfoMessage
from monitor.mqtt.contract.payload import Packet
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError
from monitor.state.endpoints import Endpoints

INFO_WITHIN_S = 13.0  # the daemon publishes it every 5 seconds: enough for two
RATES_OVER_S = 1.0  # two `info` that are less apart say too little


@dataclass(kw_only=True)
class BrokerReport:
    """The answers of one broker."""

    address: Address | None = None  # None: there is no broker to ask
    own: bool = False  # the daemon's embedded broker
    trouble: str | None = None
    refused: bool = False
    anonymous: bool | None = None  # it admits clients without an account
    refused_topic: str | None = None


def address(profile: Profile, up: Endpoints | None) -> Address | None:
    """The profile's broker, else the one that the daemon announced. Raises ConfigError if the account is unusable."""
    if profile.mqtt.host is not None:
        return address_of(profile)
    return None if up is None else Address(host=up.broker_host, port=up.broker_port)


async def ask(profile: Profile, up: Endpoints | None) -> BrokerReport:
    """Connects with the daemon's account and without one, and publishes to a topic that no client uses."""
    report = BrokerReport(own=profile.mqtt.host is None)
    try:
        report.address = address(profile, up)
    except (ConfigError, OSError) as error:
        report.trouble, report.refused = str(error), True
        return report
    if report.address is None:
        return report
    try:
        async with connect(report.address, _client_id("daemon")) as connection:
            if not report.own:
                answer = AckMessage(id="doctor", ok=True, stamp_s=time.time())
                topic = profile.topic_tree.topic("ack", "doctor")
                try:
                    await connection.publish(Packet(topic, msgspec.json.encode(answer), 1, False))
                except PublishRefused:
                    report.refused_topic = topic
    except BrokerError as error:
        report.trouble, report.refused = str(error), isinstance(error, BrokerRefuses)
        return report
    if not report.own:
        report.anonymous = await _admits_anonymous(report.address)
    return report


async def _admits_anonymous(known: Address) -> bool | None:
    anonymous = msgspec.structs.replace(known, username=None, password=None)
    try:
        async with connect(anonymous, _client_id("anonymous")):
            return True
    except BrokerRefuses:
        return False
    except BrokerError:
        return None


async def ask_daemon(profile: Profile, known: Address) -> BoardReport:
    """The board, as the daemon that uses its port reports it."""
    received: list[InfoMessage] = []
    topic = profile.topic_tree.topic("info")
    try:
        async with connect(known, _client_id("info")) as connection:
            await connection.subscribe([topic])
            try:
                async with asyncio.timeout(INFO_WITHIN_S):
                    async for message in connection.messages():
                        received.append(msgspec.json.decode(message.payload, type=InfoMessage))
                        if len(received) == 3 or _rates_hz(received) != (None, None):
                            break
            except TimeoutError:
                pass  # the messages so far are used
    except BrokerError as error:
        return BoardReport(trouble=f"the daemon uses the port, and its broker cannot be asked ({error})")
    if not received:
        return BoardReport(trouble=f"the daemon uses the port, and this account receives nothing on {topic}")
    return board_report(received)


def board_report(received: list[InfoMessage]) -> BoardReport:
    """From one or more `info`, in their order."""
    newest = received[-1]
    firmware, link = newest.firmware, newest.link
    report = BoardReport(no_rest="the daemon uses the port and does not measure noise")
    if firmware is not None:
        report.version, report.protocol = firmware.firmware, firmware.protocol
        report.promised_hz = firmware.force_rate_hz
    elif link.state != "live":
        report.trouble = link.detail or f"the daemon reports that the link is {link.state}"
    report.counts = {name: link.counts.get(name, 0) for name in FRAME_COUNTS}
    report.device = dict(link.device)
    report.slips = (0, link.device.get("enc_illegal", 0))
    report.drops = (link.counts.get("drops_a_minute", 0), link.state == "unstable")
    report.informed, report.storage = True, newest.storage.trouble
    if newest.calibration is not None:
        report.drift = newest.calibration.zero_n, newest.calibration.drift
    report.position_hz, report.force_hz = _rates_hz(received)
    return report


def _rates_hz(received: list[InfoMessage]) -> tuple[float | None, float | None]:
    """Positions and forces a second between the last two `info`; None if a new session began between them."""
    before, after = received[-2:][0].link, received[-1].link
    if before.counted_s is None or after.counted_s is None or after.counted_s - before.counted_s < RATES_OVER_S:
        return None, None
    took_s = after.counted_s - before.counted_s
    positions, forces = (after.counts[name] - before.counts[name] for name in ("position_samples", "force_samples"))
    return positions / took_s, forces / took_s


def _client_id(what: str) -> str:
    """Never the daemon's own, because the broker would disconnect the daemon."""
    return f"rep-monitor-doctor-{what}-{os.getpid()}"
