"""The result of each calibration step, and the progress of a calibration; both are stored as JSON."""

import msgspec

from monitor.calibrate.answers import Answers


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all results."""


class RatesResult(StepResult, frozen=True, kw_only=True):
    """The board's rates, measured by its own time stamps."""

    position_hz: float | None
    force_hz: float
    lost_share: float  # of the frames


class RestResult(StepResult, frozen=True, kw_only=True):
    """The machine at rest, without load on the cable."""

    position_counts: float
    force_counts: float
    noise_counts: float  # rms
    drift_counts_per_s: float


class HeightResult(StepResult, frozen=True, kw_only=True):
    """The encoder's scale. It is negative if counts fall while the stack rises."""

    metres_per_count: float
    uncertainty: float  # share: half a count at either end


class HoldResult(StepResult, frozen=True, kw_only=True):
    """A known weight, held still."""

    weight_kg: float
    force_counts: float
    zero_counts: float  # mean of before and after


class SpanResult(StepResult, frozen=True, kw_only=True):
    """The cell's scale, fitted to the weights."""

    newtons_per_count: float
    residuals: tuple[float, ...]  # of each weight, as a share of it
    linearity: float  # the largest deviation, as a share of the heaviest weight
    corrected: float = 1.0  # the factor that removes friction from the holds


class RepetitionsResult(StepResult, frozen=True, kw_only=True):
    """Two slow repetitions, metres above the rest."""

    bottom_m: float
    top_m: float
    lockout_m: float
    friction: float | None  # share of the load
    load_n: float | None


class RingResult(StepResult, frozen=True, kw_only=True):
    """The oscillation of the stack on its cable."""

    resonance_hz: float | None


class Progress(msgspec.Struct, kw_only=True):
    """A calibration in progress: the results so far."""

    started_utc: str
    answers: Answers
    firmware: str | None = None
    rates: RatesResult | None = None
    rest: RestResult | None = None
    height: HeightResult | None = None
    holds: list[HoldResult] = msgspec.field(default_factory=list)
    span: SpanResult | None = None
    repetitions: RepetitionsResult | None = None
    ring: RingResult | None = None
    last: RestResult | None = None  # the machine at rest again, at the end
    remarks: list[str] = msgspec.field(default_factory=list)
