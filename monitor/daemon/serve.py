"""Runs a daemon with everything around it: lock, store, broker, page, signals.

If the profile names no broker, one runs in this process on loopback, and serves the page. If it names one, the page is
relayed to it, unless the profile gives the broker's own WebSocket address. A page in the network requires the token of
a display or a coach.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from firmware_bridge.chunk import Chunk
from monitor.access.credentials import address_of
from monitor.access.page_certificate import certificate_trouble
from monitor.daemon.daemon import Daemon
from monitor.daemon.loop_errors import report_loop_errors
from monitor.daemon.mqtt_sink import MqttSink
from monitor.daemon.notify import ServiceManager
from monitor.daemon.recent_feedback import RecentFeedback
from monitor.daemon.reload import Reload
from monitor.daemon.sink import Sink
from monitor.daemon.stop_limit import StopLimit
from monitor.display.address import is_open
from monitor.display.server import PageBroker, PageServer
from monitor.display.tls import page_tls
from monitor.display.token import kept_token, kept_tokens
from monitor.mqtt.broker.relay import Relay
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.channel import Broker
from monitor.mqtt.client.publisher import Publisher
from monitor.mqtt.contract.roles import Role
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError
from monitor.state.endpoints import Endpoints, announced
from monitor.state.folders import Lock, state_directory, store_path
from monitor.state.mounts import mount_warning
from monitor.state.running import machine_at_port
from monitor.store.history import last_sets
from monitor.store.store import Store
from monitor.worker_thread import finished

_log = logging.getLogger(__name__)
Source = Callable[[Daemon], AsyncGenerator[Chunk, None]]


@dataclass(frozen=True)
class Up:
    """The parts of a running daemon that a person may want to know."""

    daemon: Daemon
    broker: Address
    page_url: str | None
    secure_url: str | None


async def serve(
    profile: Profile,
    source: Source,
    *,
    on_up: Callable[[Up], None] = lambda up: None,
    sinks: Sequence[Sink] = (),
    reread: Callable[[], Profile] | None = None,
    scratch: Path | None = None,
) -> None:
    """Runs until SIGINT or SIGTERM, or until the source ends. Raises the exceptions of the daemon.

    `sinks` are added to MQTT. With `reread`, SIGHUP reloads the profile; without, it stops the daemon as SIGTERM does.
    `scratch` replaces the machine's state folder by a temporary one.
    """
    directory = state_directory(profile.machine.id) if scratch is None else scratch
    loop, limit, manager = asyncio.get_running_loop(), StopLimit(), ServiceManager()
    stops = (signal.SIGTERM,) if reread else (signal.SIGTERM, signal.SIGHUP)
    report_loop_errors(loop)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(Lock(directory))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            stack.callback(loop.remove_signal_handler, number)  # after all that waits for the disk
        stack.callback(limit.done)
        _limit_interrupts(limit)
        store = await finished(partial(Store, store_path(directory)), Store.close)
        stack.push_async_callback(finished, store.close)
        broker: Broker
        page_broker: PageBroker | None
        if profile.mqtt.host is None:
            from monitor.mqtt.broker.embedded_broker import EmbeddedBroker  # its library takes 2 MB

            collector = await asyncio.to_thread(kept_token, directory, Role.COLLECTOR)
            embedded = EmbeddedBroker(passwords={Role.COLLECTOR.value: collector})
            broker = page_broker = await stack.enter_async_context(embedded)
            address = Address(host=embedded.host, port=embedded.port)
        else:
            from monitor.mqtt.client.connection import DistantBroker  # this library takes as much

            address = address_of(profile)
            broker = DistantBroker(address)
            page_broker = None if profile.mqtt.websocket_url else Relay(address)
        daemon = Daemon(profile, directory, store)
        bookmark = Bookmark(directory / "bookmark.json")
        mqtt = MqttSink(Publisher(profile.topic_tree, broker, store, daemon.command, bookmark))
        daemon.sinks += [mqtt, *sinks]
        if scratch is None and (warning := mount_warning(directory)):
            daemon.storage_warning = warning
            _log.warning("%s", warning)
        page_url = secure_url = None
        if profile.display.enabled:
            recent = RecentFeedback()
            daemon.sinks.append(recent)
            opened = is_open(profile.display.bind)
            tokens = await asyncio.to_thread(kept_tokens, directory) if opened else None
            tls = None
            if profile.display.tls is not None:
                tls = page_tls(Path(profile.display.tls))
                if trouble := certificate_trouble(Path(profile.display.tls), time.time()):
                    _log.warning("%s: `rep-monitor access tls` renews it", trouble)
            server = PageServer(
                profile, page_broker, partial(last_sets, store), tokens=tokens, recent=recent.document, tls=tls
            )
            await stack.enter_async_context(server)
            if scratch is None:
                _refuse_shared_ports(profile, server, directory)
            page_url, secure_url = server.url, server.secure_url
        limit.missing = lambda: [*daemon.open_recordings.missing(), *daemon.keeper.missing()]

        def interrupted() -> None:
            limit.interrupt()
            daemon.stop()

        async def end() -> None:
            await daemon.stopping.wait()
            manager.stopping()
            limit.begin()

        loop.add_signal_handler(signal.SIGINT, interrupted)
        for number in stops:
            loop.add_signal_handler(number, daemon.stop)
        if reread is not None:
            reload = Reload(daemon, reread)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            reloading = group.create_task(reload.run(), name="reload")
            stack.callback(reloading.cancel)
            loop.add_signal_handler(signal.SIGHUP, reload.ask)
        endpoints = Endpoints(
            broker_host=address.host, broker_port=address.port, page_url=page_url, secure_url=secure_url
        )
        stack.enter_context(announced(directory, endpoints))
        on_up(Up(daemon, address, page_url, secure_url))
        gc.freeze()  # everything loaded by now stays, so the collector need not examine it again

        def status() -> str:
            return daemon.headline(mqtt.publisher.trouble)

        async with manager.watching(daemon.reader_silent_s, status), mqtt.running():
            ending = asyncio.create_task(end(), name="end")
            await daemon.run(source(daemon))
            await ending


def _limit_interrupts(limit: StopLimit) -> None:
    """Until the daemon's own handler is set, Ctrl-C cancels what is starting; this too may wait for a disk."""
    cancels = signal.getsignal(signal.SIGINT)

    def interrupted(number: int, frame: FrameType | None) -> None:
        limit.interrupt()
        if callable(cancels):
            cancels(number, frame)

    if callable(cancels):  # else Ctrl-C is ignored, as for a program in the background
        signal.signal(signal.SIGINT, interrupted)


def _refuse_shared_ports(profile: Profile, server: PageServer, directory: Path) -> None:
    """The address of a machine's page must not depend on which daemon starts first. Raises ConfigError."""
    machine, wanted = profile.machine.id, {"port": profile.display.port, "tls_port": profile.display.tls_port}
    for (key, port), got in zip(wanted.items(), (server.port, server.secure_port), strict=True):
        if got in (None, port) or (other := machine_at_port(port, directory)) is None:
            continue
        raise ConfigError(
            f"the page of machine {other!r} on this computer has port {port}: give each machine its own,"
            f" for example [display] {key} = {port + 1} in the profile of {machine!r}"
        )
