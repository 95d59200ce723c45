"""The errors of the link to the microcontroller, by what helps.

    BridgeError
     +-- LinkError              the port closed or vanished; reconnecting may help
     |    +-- PortBusyError     another process holds the port; the message names it
     +-- ProtocolVersionError   the firmware speaks another protocol; flashing it helps
     +-- WrongDeviceError       another device answers at this port; choosing another port helps

Noise on the wire is not an error: damaged frames are dropped and counted.
"""


class BridgeError(Exception):
    """The base of all errors that this package raises."""


class LinkError(BridgeError):
    """The serial port could not be opened, was closed by the other side, or vanished."""


class PortBusyError(LinkError):
    """Another process holds the serial port."""


class ProtocolVersionError(BridgeError):
    """The firmware speaks another version of the protocol."""


class WrongDeviceError(BridgeError):
    """The device at the port does not speak the protocol."""
