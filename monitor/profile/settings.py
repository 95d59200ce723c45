"""The thresholds of detection that a profile may change, by name and unit, with the defaults of EVENTS.md.

One table per detector: `[detect.jerk]` in a profile is `JerkSettings` here. `limits_of` turns them, with a machine
and a protocol, into the plain numbers that detectors compare with (EVENTS.md 1.2). A constant that no machine needs
to change is in the file that uses it, with its reason.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

MOST = 1000.0  # of any size or duration: beyond it nothing is a threshold, and steps of 5 ms are too many to count
Positive = Annotated[float, Meta(gt=0, le=MOST)]
NotNegative = Annotated[float, Meta(ge=0, le=MOST)]
Share = Annotated[float, Meta(ge=0, le=1)]


class SettingsTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of settings. It is frozen, and an unknown key is an error."""


class MotionSettings(SettingsTable, frozen=True, kw_only=True):
    window_s: Annotated[float, Meta(ge=0.03, le=0.2)] = 0.08  # length of the quadratic fit for acceleration
    rest_min_m_s: Positive = 0.003  # v_rest: "not moving" is below max(this, rest_fraction * slower target speed)
    rest_fraction: Share = 0.10
    move_factor: Annotated[float, Meta(ge=1, le=MOST)] = 2.0  # v_move: "moving again"
    reversal_min_m: Positive = 0.005  # h_rev: travel that makes a reversal, max(this, reversal_fraction * L)
    reversal_fraction: Share = 0.03
    extreme_m: Positive = 0.003  # the dwell lies within max(this, extreme_fraction * L) of the extreme
    extreme_fraction: Share = 0.01


class CellSettings(SettingsTable, frozen=True, kw_only=True):
    rate_hz: Annotated[float, Meta(gt=0, le=10_000)] | None = (
        None  # readings a second; None: from the device, else one per step of the grid
    )
    settling: Annotated[float, Meta(ge=1, le=100)] | None = (
        None  # conversions that a reading averages over; HX711, NAU7802: 4
    )

    @property
    def conversions(self) -> float:
        """How many conversions a reading averages over."""
        return self.settling or 1.0

    def period_s(self, step_s: float) -> float:
        """The time from one reading to the next; `step_s`, the step of the grid, if the rate is not known."""
        return step_s if self.rate_hz is None else 1 / self.rate_hz


class SetSettings(SettingsTable, frozen=True, kw_only=True):
    off_rest_m: Positive = 0.003  # x above which the stack is off the rest
    start_hold_s: Positive = 0.3
    end_rest_s: Positive = 5.0
    pause_margin_s: NotNegative = 2.0  # beyond planned pauses, where they are longer than end_rest_s
    end_tension: Share = 0.1  # of W: below it for end_rest_s, the set ends off the rest, too
    under_load: Share = 0.5  # of W: above it, time counts as under load
    stop_min_m: Positive = 0.015  # a stop is lower than the range by max(this, stop_fraction * L)
    stop_fraction: Share = 0.05


class RepSettings(SettingsTable, frozen=True, kw_only=True):
    excursion: Share = 0.25  # of L: a shorter movement is not a repetition
    partial: Share = 0.85  # of L
    top: Share = 0.10  # of L: a repetition whose top is further below top_m is partial
    sticking_speed: Share = 0.25  # of v_c
    sticking_min_s: Positive = 0.5
    end: Share = 0.10  # of L from the bottom: a stack that stands here has ended its repetition
    end_s: Annotated[float, Meta(ge=0.35, le=MOST)] = 0.6  # by then such a repetition is reported
    segment_speed: Share = 0.5  # of a movement's mean speed: a dip below it is counted
    segment_apart_s: NotNegative = 0.2  # closer dips are one


class StartSettings(SettingsTable, frozen=True, kw_only=True):
    upload_from: Share = 0.1  # of W: the upload of a repetition begins here
    rise_window_s: Positive = 0.2
    rise_per_s: Positive = 2.5  # W per s: the steepest rise of a squeezed start
    slowness: Positive = 1.3  # times the target time of the first way, at least, is squeezed
    to_m: Positive = 0.025  # the first way ends here


class TurnaroundSettings(SettingsTable, frozen=True, kw_only=True):
    window_s: Positive = 0.5
    window_fraction: Share = 0.15  # of the shorter phase
    smooth: Share = 0.8  # of a_jerk
    dwell_s: Positive = 1.0
    dwell_superslow_s: Positive = 2.0
    abrupt_window_s: Positive = 0.25
    bounce_m: Positive = 0.010
    set_down_s: Positive = 0.5  # a stack that rests for this long was set down
    rebound_s: Positive = 0.3


class JerkSettings(SettingsTable, frozen=True, kw_only=True):
    size: Positive = 11.5  # a_jerk = clip(size * L / T_c^2, min_g, max_g)
    min_g: Positive = 0.08
    max_g: Positive = 0.25
    hold_s: Positive = 0.06  # defines a true jerk; it is reported after announce_s at the earliest
    announce_s: NotNegative = 0.01
    join_s: NotNegative = 0.15
    start: Share = 0.15  # of L from the bottom: cause `start`
    shove_s: Positive = 1.0  # after a stall or sticking: cause `shove`


class UnloadSettings(SettingsTable, frozen=True, kw_only=True):
    low: Share = 0.15  # w' < 1 - max(low, factor * a_jerk/g)
    factor: Positive = 1.25
    hold_s: Positive = 0.10


class SlackSettings(SettingsTable, frozen=True, kw_only=True):
    tension: Share = 0.05  # of W
    hold_s: Positive = 0.03  # defines true slack; the filter shortens it, so it is reported after announce_s
    announce_s: Positive = 0.025


class LockoutRestSettings(SettingsTable, frozen=True, kw_only=True):
    zone_min_m: Positive = 0.015
    zone_fraction: Share = 0.03
    dwell_s: Positive = 1.3
    dwell_superslow_s: Positive = 2.3


class StackTouchSettings(SettingsTable, frozen=True, kw_only=True):
    tension: Share = 0.5  # of W
    hold_s: Positive = 0.08
    slam_m_s: Positive = 0.10
    join_s: NotNegative = 0.3  # a landing bounces


class BottomRestSettings(SettingsTable, frozen=True, kw_only=True):
    hold_s: Positive = 0.7


class StallSettings(SettingsTable, frozen=True, kw_only=True):
    low: Share = 0.10  # of L
    high: Share = 0.90
    hold_s: Positive = 1.5
    travel_m: Positive = 0.010  # travel that ends a stall


class FailureSettings(SettingsTable, frozen=True, kw_only=True):
    stall_s: Positive = 2.0
    total_s: Positive = 5.0
    descent: Share = 0.10  # of L
    pushing: Share = 0.8  # of W: with less the lifter has stopped pushing
    static_level: Share = 0.90  # of the target
    static_hold_s: Positive = 2.0
    static_after_s: Positive = 10.0


class SpeedOverSettings(SettingsTable, frozen=True, kw_only=True):
    factor_short: Positive = 2.0  # kappa where the phase is 4 s or shorter
    factor_long: Positive = 1.7
    hold_s: Positive = 0.30


class TensionOutSettings(SettingsTable, frozen=True, kw_only=True):
    hold_s: Positive = 0.15
    join_s: NotNegative = 0.30


class ForceCeilingSettings(SettingsTable, frozen=True, kw_only=True):
    factor: Positive = 1.30  # of (1 + mu) * W
    hold_s: Positive = 0.02  # as for slack
    announce_s: Positive = 0.015


class AssistSettings(SettingsTable, frozen=True, kw_only=True):
    size: Share = 0.08  # of W: this much more or less than load, inertia and friction explain
    size_min_n: Positive = 15.0
    hold_s: Positive = 0.5
    lifted: Share = 0.25  # of W: with less, somebody else does the positive


class LoadStepSettings(SettingsTable, frozen=True, kw_only=True):
    size: Share = 0.15  # of the load: the ways up and down differ by this much, beyond friction
    reps: Annotated[int, Meta(ge=1, le=20)] = 3  # in a row


class HeldSettings(SettingsTable, frozen=True, kw_only=True):
    tension: Share = 0.1  # of W: a stack that stands still off its rest with less is held
    unknown_n: Positive = 15.0  # while W is unknown: less carries no load
    hold_s: Positive = 0.3


class SensorFaultSettings(SettingsTable, frozen=True, kw_only=True):
    gap_s: Positive = 0.05
    jump_m: Positive = 0.005
    mismatch: Share = 0.05  # of W
    mismatch_s: Positive = 0.5
    frozen_s: Positive = 0.3


class RangeSettings(SettingsTable, frozen=True, kw_only=True):
    reps: Annotated[int, Meta(ge=1, le=10)] = 3  # that must agree before a learned range is judged by at once
    agreement: Share = 0.05  # of L
    least_m: Positive = 0.05  # a range shorter than this cannot be learned


class SkillSettings(SettingsTable, frozen=True, kw_only=True):
    throw_s: Positive = 4.0  # a jerk or a drop spoils no more than this
    turn_s: NotNegative = 0.5  # an abrupt turnaround spoils this time before and after its dwell
    least_s: NotNegative = 10.0  # of judged time: below it skill is null


class ZeroSettings(SettingsTable, frozen=True, kw_only=True):
    walk_n_per_minute: Positive = 15.0  # zero is followed on the rest; a faster change is a hand


class DetectSettings(SettingsTable, frozen=True, kw_only=True):
    """`[detect.*]` of a profile."""

    motion: MotionSettings = MotionSettings()
    cell: CellSettings = CellSettings()
    set: SetSettings = SetSettings()
    held: HeldSettings = HeldSettings()
    rep: RepSettings = RepSettings()
    start: StartSettings = StartSettings()
    turnaround: TurnaroundSettings = TurnaroundSettings()
    jerk: JerkSettings = JerkSettings()
    unload: UnloadSettings = UnloadSettings()
    slack: SlackSettings = SlackSettings()
    lockout_rest: LockoutRestSettings = LockoutRestSettings()
    stack_touch: StackTouchSettings = StackTouchSettings()
    bottom_rest: BottomRestSettings = BottomRestSettings()
    stall: StallSettings = StallSettings()
    failure: FailureSettings = FailureSettings()
    speed_over: SpeedOverSettings = SpeedOverSettings()
    tension_out: TensionOutSettings = TensionOutSettings()
    force_ceiling: ForceCeilingSettings = ForceCeilingSettings()
    sensor_fault: SensorFaultSettings = SensorFaultSettings()
    range: RangeSettings = RangeSettings()
    skill: SkillSettings = SkillSettings()
    zero: ZeroSettings = ZeroSettings()
    assist: AssistSettings = AssistSettings()
    load_step: LoadStepSettings = LoadStepSettings()
