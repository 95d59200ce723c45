"""Completes the settings of the force converter: what the profile does not give comes from the device's HELLO."""

import msgspec

from firmware_bridge.formats.codes import Adc
from firmware_bridge.formats.messages import Hello
from monitor.profile.profile import Profile

SETTLING = {  # conversions that a reading averages over
    Adc.HX711: 4.0,  # datasheet: output settling time, 50 ms at 80 readings a second
    Adc.NAU7802: 4.0,  # datasheet: settles in four conversions
    Adc.ADS1220: 1.0,  # datasheet: single-cycle settling
}


def informed(profile: Profile, hello: Hello | None) -> Profile:
    """The profile with a `[detect.cell]` that HELLO completes."""
    if hello is None or hello.adc not in SETTLING or not hello.adc_sps:
        return profile
    detect, cell = profile.detect, profile.detect.cell
    reported = msgspec.structs.replace(
        cell,
        rate_hz=cell.rate_hz if cell.rate_hz is not None else float(hello.adc_sps),
        settling=cell.settling if cell.settling is not None else SETTLING[Adc(hello.adc)],
    )
    return msgspec.structs.replace(profile, detect=msgspec.structs.replace(detect, cell=reported))
