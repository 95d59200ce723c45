"""TLS to a broker."""

import ssl

from monitor.mqtt.client.address import Address


def tls_context(address: Address) -> ssl.SSLContext:
    """Raises OSError if the file of the authority is missing or contains no certificate."""
    context = ssl.create_default_context(cafile=address.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TlsSocket
    return context


class TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise
