"""Shows a replay on the real pages, on loopback only: a broker, the page server and a projector, without a daemon.

async with cinema(playback, port) as shown:
    print(shown.url)
    await shown.projector.run()
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from monitor.daemon.about import machine_info, protocol_info
from monitor.display.server import PageServer
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.connection import connect
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Delivery, InfoMessage, LinkInfo, StatusMessage
from monitor.mqtt.contract.payload import Packet
from monitor.playback.playback import Playback, PlaybackError
from monitor.profile.profile import DisplaySettings, MqttSettings, Profile
from monitor.projection.projector import Projector
from monitor.projection.reel import reel_of
from monitor.version import VERSION

LOOPBACK = "127.0.0.1"


class Screening(NamedTuple):
    """What plays now; `url` is the lifter's page."""

    url: str
    projector: Projector


@asynccontextmanager
async def cinema(playback: Playback, port: int) -> AsyncIterator[Screening]:
    """Serves the pages on `port` of 127.0.0.1, or on the next free one. Raises PlaybackError, PageServerError."""
    reel = await reel_of(playback)
    if reel.end_s <= reel.begin_s:
        raise PlaybackError(f"{playback.path} contains no samples to show")
    profile = _here(playback.profile, port)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker())
        address = Address(host=LOOPBACK, port=broker.port)
        connection = await stack.enter_async_context(connect(address, "replay-page"))

        async def publish(packet: Packet) -> None:
            if packet.qos:
                await connection.publish(packet)
            else:
                connection.send(packet)

        projector = Projector(reel, profile.topic_tree, playback.session, publish)
        server = await stack.enter_async_context(
            PageServer(profile, broker, _no_sets, recent=projector.recent, player=projector)
        )
        await publish(payload.status(profile.topic_tree, StatusMessage(state="online", conn=1, link="live")))
        await publish(payload.info(profile.topic_tree, _info(profile, projector.session)))
        yield Screening(server.url, projector)


def _no_sets() -> dict[str, Any]:
    """The sets of the recording come as events."""
    return {"v": 1, "sets": []}


def _here(profile: Profile, port: int) -> Profile:
    """The recorded machine, with its page on loopback and no broker but ours."""
    shown = DisplaySettings(port=port, units=profile.display.units, language=profile.display.language)
    return msgspec.structs.replace(profile, display=shown, mqtt=MqttSettings())


def _info(profile: Profile, session: str) -> InfoMessage:
    return InfoMessage(
        version=VERSION,
        machine=machine_info(profile),
        protocol=protocol_info(profile),
        firmware=None,
        link=LinkInfo(state="live"),
        delivery=Delivery(),
        session=session,
        recording="off",
        fault=None,
    )
