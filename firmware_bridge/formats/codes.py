"""Names for the numbers in messages, as PROTOCOL.md lists them."""

from enum import IntEnum, IntFlag


class Mcu(IntEnum):
    """HELLO.mcu. A value that is not listed here is a board without a name."""

    SIMULATED = 0
    ATMEGA328P = 1
    ATMEGA2560 = 2
    ATMEGA1284P = 3
    STM32 = 4


class ResetCause(IntFlag):
    """HELLO.reset_cause, as the AVR's MCUSR."""

    POWER_ON = 1
    EXTERNAL = 2
    BROWN_OUT = 4
    WATCHDOG = 8


class Adc(IntEnum):
    """HELLO.adc."""

    NONE = 0
    HX711 = 1
    ADS1220 = 2
    NAU7802 = 3


class Caps(IntFlag):
    """HELLO.caps."""

    POSITION = 1
    FORCE = 2
    SET_ADC = 4


class Streams(IntFlag):
    """START.streams."""

    POSITION = 1
    FORCE = 2


class StatusFlag(IntFlag):
    """STATUS.flags."""

    STREAMING = 1
    ADC_FAULT = 2  # the converter does not answer at the moment


class Result(IntEnum):
    """ACK.result."""

    OK = 0
    UNKNOWN = 1  # no such command
    ARGUMENT = 2  # a value out of range, or a body of the wrong length


class EventCode(IntEnum):
    """EVENT.code."""

    ADC_LOST = 1  # the converter stopped answering; arg: milliseconds since its last answer
    ADC_BACK = 2  # it answers again; arg: milliseconds without an answer
    ENCODER_ILLEGAL = 3  # arg: illegal transitions since boot
