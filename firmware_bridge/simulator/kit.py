"""The kit that measures a machine: encoder, load cell, converter, and a wire that loses frames."""

from dataclasses import dataclass

from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.messages import MAX_FORCE_SAMPLES
from firmware_bridge.simulator.faults import Fault
from firmware_bridge.simulator.machine import Machine

RAIL = 2**23 - 1  # of a 24-bit converter
FORCE_BLOCK_S = 0.01  # FORCE_BLOCK_US of the firmware
CELL_ZERO_COUNTS = 41_337  # a cell without load does not read zero, and the device does not tare


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A set of sensors, and the settings of its board."""

    encoder_m: float = 0.0001  # per count
    position_rate_hz: int = 500
    block: int = 5  # positions in a frame
    force_rate_hz: float = 80.0  # from 200 on: a fast converter, 10 ms of conversions in a frame, 14 at most
    settling: float = 4.0  # conversions that one value of a slow converter averages
    full_scale_n: float = 8000.0  # force at the rail
    noise_n: float = 0.8  # rms of the cell and its converter
    stamp_jitter_s: float = 0.0002  # rms of the sampling time against its stamp
    lost_fraction: float = 0.0  # of frames
    clock_ppm: float = 0.0  # how much faster the device's clock runs
    clock_start_us: int = 1_000_000  # the clock at the beginning of the trace; it wraps at 2**32
    wiring: Calibration | None = None  # the counts follow this; None: they follow encoder_m and full_scale_n
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if self.position_rate_hz <= 0 or 1_000_000 % self.position_rate_hz:
            raise ValueError(f"position_rate_hz {self.position_rate_hz} must give a period of whole microseconds")

    @property
    def period_us(self) -> int:
        return 1_000_000 // self.position_rate_hz

    @property
    def force_block(self) -> int:
        """Conversions in a frame, as the firmware sends them: one if they are slow, up to 10 ms of them if fast."""
        return min(MAX_FORCE_SAMPLES, max(1, int(self.force_rate_hz * FORCE_BLOCK_S)))

    @property
    def force_window_s(self) -> float:
        """The time that one force value averages."""
        return (self.settling if self.force_block == 1 else 1.0) / self.force_rate_hz

    def calibration(self, machine: Machine) -> Calibration:
        """Turns this kit's counts on this machine into metres and newtons; the encoder is zero on the rest."""
        if self.wiring:
            return self.wiring
        return Calibration(
            metres_per_count=self.encoder_m,
            position_zero_counts=-machine.rest_m / self.encoder_m,
            newtons_per_count=self.full_scale_n / RAIL,
            force_zero_counts=CELL_ZERO_COUNTS,
        )
