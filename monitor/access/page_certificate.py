"""Makes the certificate with which a machine's page is served over TLS.

    make_page_certificate(folder, authority, names)     creates or updates in the folder:
        page.pem  page.key     the certificate of this computer, and its key
        page-ca.pem            the authority's certificate, which tablets install

The authority is the one of `rep-monitor access broker`, or a new one. Its key stays in its own folder, which no daemon
reads.
"""

import fcntl
import hashlib
import socket
import ssl
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from monitor.access.authority import certificate_fits, make_authority, make_certificate
from monitor.state.handed_over import handed_over
from monitor.state.whole_file import write_whole

SOON_DAYS = 60
SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of an interface
ADDRESS = slice(20, 24)  # in the answer, a struct ifreq


def make_page_certificate(folder: Path, authority: Path, names: Sequence[str]) -> list[str]:
    """Returns what was made or changed. Raises AccessError, OSError."""
    folder, authority = folder.resolve(), authority.resolve()
    changes = []
    authority.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not (authority / "ca.key").exists():
        make_authority(authority)
        changes.append(f"{authority / 'ca.pem'}, a private certificate authority")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate = folder / "page.pem"
    if not certificate_fits(certificate, authority, names):
        make_certificate(certificate, authority, names)
        changes.append(f"{certificate} for {', '.join(names)}")
    root, kept = (authority / "ca.pem").read_bytes(), folder / "page-ca.pem"
    if not kept.exists() or kept.read_bytes() != root:
        write_whole(kept, root, 0o644)
        changes.append(str(kept))
    return changes


def fingerprint(certificate: Path) -> str:
    """As phones and browsers show it: SHA-256 in pairs of digits."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).digest().hex(":").upper()


def certificate_trouble(folder: Path, now_s: float) -> str | None:
    """What staff should know of the certificate in the folder; None if all is well. Raises OSError if it is unreadable.

    `now_s` is the Unix time. A handshake in memory shows what a screen that trusts the authority will see.
    """
    certificate, key, authority = (handed_over(folder / name) for name in ("page.pem", "page.key", "page-ca.pem"))
    of_server, of_screen = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    of_server.load_cert_chain(certificate, key)
    of_screen.load_verify_locations(authority)
    of_screen.check_hostname = False  # the names are those of the network
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, screen = of_server.wrap_bio(there, back, server_side=True), of_screen.wrap_bio(back, there)
    try:
        for side in (screen, server, screen):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return f"screens refuse the page's certificate: {error.verify_message}"
    end = (screen.getpeercert() or {})["notAfter"]
    left_days = (ssl.cert_time_to_seconds(str(end)) - now_s) / 86_400
    return f"the page's certificate ends in {left_days:.0f} days" if left_days < SOON_DAYS else None


def own_addresses() -> list[str]:
    """The IPv4 addresses of this computer's interfaces."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(any_socket, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:  # an interface without such an address
                continue
            found.append(socket.inet_ntoa(answer[ADDRESS]))
    return found
