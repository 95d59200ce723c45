"""TLS for the page: reads its certificate, and secures new connections.

A connection counts at the door from its first moment, so that the limits for strangers who never finish a request also
hold for those who never finish a handshake.
"""

import asyncio
import ssl
from pathlib import Path
from typing import NamedTuple, cast

from monitor.display.door import Door
from monitor.profile.toml_document import ConfigError
from monitor.state.handed_over import handed_over
from monitor.state.small_file import read_small

HANDSHAKE_S = 10.0
READABLE_BY_ALL = 0o007


class PageTls(NamedTuple):
    """What a page needs to be served over TLS."""

    context: ssl.SSLContext
    authority: bytes  # the certificate that screens install, as PEM


def page_tls(folder: Path) -> PageTls:
    """Reads page.pem, page.key and page-ca.pem. Raises ConfigError, which names the remedy."""
    certificate, key, authority = (handed_over(folder / name) for name in ("page.pem", "page.key", "page-ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if key.stat().st_mode & READABLE_BY_ALL:
            raise ConfigError(f"{key} can be read by every user of this computer: chmod 600 {key}")
        context.load_cert_chain(certificate, key)
        return PageTls(context, read_small(authority))
    except OSError as error:  # also of ssl
        raise ConfigError(
            f"[display] tls: no usable certificate in {folder} ({error.strerror or error}):"
            " `rep-monitor access tls` makes one"
        ) from error


class TlsFront(asyncio.Protocol):
    """A connection during its handshake; then `inner` takes it over."""

    def __init__(self, context: ssl.SSLContext, door: Door, inner: asyncio.Protocol) -> None:
        self._context = context
        self._door = door
        self._inner = inner
        self._early: list[bytes] = []  # what came together with the end of the handshake
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plain = cast(asyncio.Transport, transport)
        peer = (plain.get_extra_info("peername") or ("gone",))[0]
        if not self._door.enter(plain.get_extra_info("socket"), peer):
            plain.abort()
            return
        plain.pause_reading()  # until the handshake reads
        task = asyncio.create_task(self._secure(plain, peer))
        self._door.handshakes[task] = plain
        task.add_done_callback(self._door.handshakes.pop)

    def data_received(self, data: bytes) -> None:
        self._early.append(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._lost = True

    async def _secure(self, plain: asyncio.Transport, peer: str) -> None:
        secured = None
        try:
            secured = await asyncio.get_running_loop().start_tls(
                plain, self, self._context, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError:  # the peer left, or does not speak TLS
            self._door.broken_handshakes += 1
        finally:
            self._door.greeted(peer)
            if secured is None:
                plain.abort()
        if secured is None or self._lost:
            return
        secured.set_protocol(self._inner)
        self._inner.connection_made(secured)
        for data in self._early:
            self._inner.data_received(data)
