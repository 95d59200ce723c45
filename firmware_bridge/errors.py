"""What can go wrong between us and the microcontroller, by what the catcher can do about it.

    BridgeError
     +-- LinkError              the port closed or vanished; reconnecting may help
     |    +-- PortBusyError     somebody else holds the port; names them
     +-- ProtocolVersionError   the firmware speaks another version; only a flash helps
     +-- WrongDeviceError       what answers at this port is not our firmware; another port helps

Noise on the wire is not an error: damaged frames are dropped and counted, because a stream that never loses a byte
does not exist.
"""


class BridgeError(Exception):
    """Base of everything this package raises on purpose."""


class LinkError(BridgeError):
    """The serial port could not be opened, closed under us, or vanished."""


class PortBusyError(LinkError):
    """Another process holds the serial port."""


class ProtocolVersionError(BridgeError):
    """The firmware speaks a protocol version that we do not."""


class WrongDeviceError(BridgeError):
    """The device at the port does not speak this protocol at all."""
