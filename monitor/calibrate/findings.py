"""What each step found, and all of it together: small enough to be kept beside the profile for ever."""

import msgspec

from monitor.calibrate.answers import Answers


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What all have in common: nothing but that they are kept."""


class Rates(Finding, frozen=True, kw_only=True):
    """What the board sends, measured by its own stamps."""

    position_hz: float | None
    force_hz: float
    lost_share: float  # of the frames


class Rest(Finding, frozen=True, kw_only=True):
    """The machine at rest, nothing on the cable."""

    position_counts: float
    force_counts: float
    noise_counts: float  # rms
    drift_counts_per_s: float


class Height(Finding, frozen=True, kw_only=True):
    """The encoder's scale; its sign is that of up."""

    metres_per_count: float
    uncertainty: float  # share: what half a count at either end makes


class Hold(Finding, frozen=True, kw_only=True):
    """A known weight, held still."""

    weight_kg: float
    force_counts: float
    zero_counts: float  # before and after


class Span(Finding, frozen=True, kw_only=True):
    """The cell's scale, fitted to the weights."""

    newtons_per_count: float
    residuals: tuple[float, ...]  # of each weight, as a share of it
    linearity: float  # the largest deviation, as a share of the heaviest weight
    corrected: float = 1.0  # by what movement told of friction in the holds


class Repetitions(Finding, frozen=True, kw_only=True):
    """Two slow repetitions, metres above the rest."""

    bottom_m: float
    top_m: float
    lockout_m: float
    friction: float | None  # share of the load
    load_n: float | None


class Ring(Finding, frozen=True, kw_only=True):
    """How the stack rings on its cable."""

    resonance_hz: float | None


class State(msgspec.Struct, kw_only=True):
    """As far as a calibration has come."""

    started_utc: str
    answers: Answers
    firmware: str | None = None
    rates: Rates | None = None
    rest: Rest | None = None
    height: Height | None = None
    holds: list[Hold] = msgspec.field(default_factory=list)
    span: Span | None = None
    repetitions: Repetitions | None = None
    ring: Ring | None = None
    last: Rest | None = None  # the machine at rest again, at the end
    remarks: list[str] = msgspec.field(default_factory=list)
