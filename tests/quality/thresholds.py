"""The numbers of EVENTS.md, for one machine and protocol, made stricter or looser by a factor.

`Thresholds.of(profile, factor)`: factor 1 is the definition, 1.25 what an event must pass to be REQUIRED, 0.8 what a
detected event must pass not to be FALSE. "Stricter" is always the harder thing to be. What the factor acts on:

| kind              | harder at factor k > 1                                                                   |
|-------------------|------------------------------------------------------------------------------------------|
| reversal, rep     | h_rev * k, excursion of 0.25 L * k; the two also crossed with each other for the count     |
| partial           | what is missing to a full rep, (1 - 0.85) * k, or 0.10 L * k at the top                    |
| dwell             | within 3 mm / k of the extreme; v_rest as it is: a dwell is a measure, not a fault; of      |
|                   | stretches of almost one length, the middle of either is right                              |
| off the rest      | 3 mm * k                                                                                   |
| abrupt            | a_jerk * k held 60 ms * k, within 0.25 s / k                                               |
| bounce            | within 10 mm / k, or kappa * k within 0.3 s / k                                            |
| smooth            | the fault is not to be smooth: a_turn * k, dwell * k, window / k                           |
| jerk, drop        | a_jerk * k, hold * k; the join of 150 ms is no threshold                                   |
| unload            | depth max(0.15, 1.25 a_jerk/g) * k, hold * k                                               |
| slack             | 0.05 W / k, hold * k                                                                       |
| lockout_rest      | zone / k, v_rest / k, dwell * k                                                            |
| stack_touch       | 3 mm / k, 0.5 W / k, hold * k; slam: landing speed * k                                     |
| bottom_rest       | the contact likewise, hold * k                                                             |
| stall             | v_rest / k, v_move / k, travel / k, hold * k                                               |
| failure           | stall of 2 s * k, 5 s * k in all, descent * k; static: what is missing to the target * k   |
|                   | (that the 5 s were met; when is 5 s after the onset of that stall)                         |
| speed_over        | kappa * k, hold * k                                                                        |
| tension_out       | b * k, hold * k                                                                            |
| force_ceiling     | the excess over (1 + mu) W * k, hold * k                                                   |
| assist            | 0.08 W or 15 N * k, hold * k                                                             |
| set_start/set_end | hold * k; 3 mm * k and 0.5 W * k, or lift_off_n * k / the contact and 0.1 W as above         |
"""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.profile.profile import Profile
from tests.quality.signals import Level, Loads

SUPERSLOW_S = 8.0
SHORT_PHASE_S = 4.0
FRICTION_SPEED_M_S = 0.004  # below it friction changes its direction
# In the contract, but not among the settings.
STOP_MIN_M, STOP_SHARE = 0.015, 0.05
PAUSE_MARGIN_S = 2.0
PUSHING = 0.8
ASSIST_SIZE, ASSIST_MIN_N, ASSIST_S = 0.08, 15.0, 0.5
LIFTED = 0.25
START_SLOWNESS, START_TO_M, START_UPLOAD_FROM, START_RISE_PER_S, START_RISE_S = 1.3, 0.025, 0.1, 2.5, 0.2
STEP_SIZE, STEP_REPS = 0.15, 3


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    # the machine
    kind: str
    whole: bool  # the whole contract; else the earlier one, by which older corpora are labelled
    rest_m: float
    bottom_x_m: float
    top_x_m: float
    lockout_x_m: float
    load_n: Level
    load_known: bool
    friction: float
    lift_off_n: float
    starts_with: str
    # tempo
    range_m: float
    positive_m_s: float
    negative_m_s: float
    superslow: bool
    rest_m_s: float
    # reversals and reps
    reversal_m: float
    extreme_m: float
    excursion_m: float
    partial_m: float
    partial_top_m: float
    sticking_m_s: float
    sticking_s: tuple[float, float]
    # turnarounds
    smooth_m_s2: float
    smooth_window_s: float
    smooth_dwell_s: float
    abrupt_m_s2: float
    abrupt_hold_s: float
    abrupt_window_s: float
    bounce_m: float
    rebound_m_s: float
    rebound_s: float
    # sets
    off_rest_m: float
    start_m: float
    start_tension_n: Level
    start_hold_s: float
    end_rest_s: float
    end_loose_s: float
    end_tension_n: Level
    under_load_n: Level
    parked_x_m: float
    pause_s: float
    # jerks and tension
    jerk_m_s2: float
    jerk_hold_s: float
    jerk_join_s: float
    start_zone_m: float
    shove_s: float
    band: float
    band_hold_s: float
    band_join_s: float
    unload: float
    unload_hold_s: float
    slack_n: Level
    slack_hold_s: float
    ceiling_n: Level
    ceiling_factor: float  # static: of the target
    factor: float
    ceiling_hold_s: float
    # rests
    lockout_zone_x_m: float
    lockout_m_s: float
    lockout_s: float
    touch_m: float
    contact_join_s: float
    held_tension_n: Level
    touch_tension_n: Level
    held_s: float
    set_down_s: float
    touch_hold_s: float
    slam_m_s: float
    bottom_rest_s: float
    # stalls
    stall_zone_x_m: tuple[float, float]
    stall_m_s: float
    stall_move_m_s: float
    stall_travel_m: float
    stall_s: float
    failure_stall_s: float
    failure_total_s: float
    failure_descent_m: float
    pushing_n: Level
    # other people's forces
    assist_n: Level
    assist_s: float
    lifted_n: Level
    # the start of a repetition
    start_25_mm_s: float
    start_rise_n_s: Level
    start_from_n: Level
    speed_positive_m_s: float
    speed_negative_m_s: float
    speed_hold_s: float
    static_level: float
    static_hold_s: float
    static_after_s: float

    @classmethod
    def of(
        cls,
        profile: Profile,
        factor: float = 1.0,
        loads: Loads | None = None,
        whole: bool = False,
        pause_s: float = 0.0,
    ) -> "Thresholds":
        """The thresholds of a profile with the true range, load and friction. Motion is absent in static mode.

        `loads`: if the load differs from the profile's. `pause_s`: planned pauses on the rest.
        """
        k, g = factor, STANDARD_GRAVITY_M_S2
        machine, protocol, d = profile.machine, profile.protocol, profile.detect
        bottom_m, top_m = machine.bottom_m or 0.0, machine.top_m or 0.0
        range_m = max(top_m - bottom_m, 1e-3)
        rest_m = bottom_m if machine.rest_m is None else machine.rest_m
        lockout_m = top_m if machine.lockout_m is None else machine.lockout_m
        given_n = machine.working_load_n or machine.peak_n or 0.0
        load_n: Level = given_n if loads is None else loads.asked_n
        load_known = loads is not None or given_n > 0
        friction = machine.friction or 0.0
        positive_s, negative_s = protocol.positive_s or 1.0, protocol.negative_s or 1.0
        positive_m_s, negative_m_s = range_m / positive_s, range_m / negative_s
        superslow = max(positive_s, negative_s) >= SUPERSLOW_S
        rest_m_s = max(d.motion.rest_min_m_s, d.motion.rest_fraction * min(positive_m_s, negative_m_s))
        jerk_m_s2 = min(max(d.jerk.size * range_m / positive_s**2, d.jerk.min_g * g), d.jerk.max_g * g)
        band = max(protocol.band or (0.08 if superslow else 0.10), jerk_m_s2 / g)
        heavy_n = (1 + friction) * load_n
        relative_n = d.force_ceiling.factor * heavy_n if load_known else float("inf")
        ceiling_n = np.minimum(machine.force_ceiling_n or float("inf"), relative_n)
        end_rest_s = d.set.end_rest_s
        if pause_s > end_rest_s:
            end_rest_s = pause_s + PAUSE_MARGIN_S

        def kappa(phase_s: float) -> float:
            return d.speed_over.factor_short if phase_s <= SHORT_PHASE_S else d.speed_over.factor_long

        return cls(
            kind=machine.kind,
            whole=whole,
            rest_m=rest_m,
            bottom_x_m=bottom_m - rest_m,
            top_x_m=top_m - rest_m,
            lockout_x_m=lockout_m - rest_m,
            load_n=load_n,
            load_known=load_known,
            friction=friction,
            lift_off_n=machine.lift_off_n,
            starts_with=protocol.starts_with,
            range_m=range_m,
            positive_m_s=positive_m_s,
            negative_m_s=negative_m_s,
            superslow=superslow,
            rest_m_s=rest_m_s,
            reversal_m=max(d.motion.reversal_min_m, d.motion.reversal_fraction * range_m) * k,
            extreme_m=max(d.motion.extreme_m, d.motion.extreme_fraction * range_m) / k,
            excursion_m=d.rep.excursion * range_m * k,
            partial_m=(1 - (1 - d.rep.partial) * k) * range_m,
            partial_top_m=d.rep.top * range_m * k,
            sticking_m_s=d.rep.sticking_speed * positive_m_s / k,
            sticking_s=(d.rep.sticking_min_s * k, d.stall.hold_s * k),
            smooth_m_s2=d.turnaround.smooth * jerk_m_s2 * k,
            smooth_window_s=max(d.turnaround.window_s, d.turnaround.window_fraction * min(positive_s, negative_s)) / k,
            smooth_dwell_s=(d.turnaround.dwell_superslow_s if superslow else d.turnaround.dwell_s) * k,
            abrupt_m_s2=jerk_m_s2 * k,
            abrupt_hold_s=d.jerk.hold_s * k,
            abrupt_window_s=d.turnaround.abrupt_window_s / k,
            bounce_m=d.turnaround.bounce_m / k,
            rebound_m_s=kappa(positive_s) * positive_m_s * k,
            rebound_s=d.turnaround.rebound_s / k,
            off_rest_m=d.set.off_rest_m * k,
            start_m=d.set.off_rest_m * k,
            start_tension_n=d.set.under_load * load_n * k,
            start_hold_s=d.set.start_hold_s * k,
            end_rest_s=end_rest_s * k,
            end_loose_s=d.set.end_rest_s * k,
            end_tension_n=d.set.end_tension * load_n / k,
            under_load_n=d.set.under_load * load_n if load_known else machine.lift_off_n,
            parked_x_m=bottom_m - rest_m - max(STOP_MIN_M, STOP_SHARE * range_m) * k,
            pause_s=pause_s,
            jerk_m_s2=jerk_m_s2 * k,
            jerk_hold_s=d.jerk.hold_s * k,
            jerk_join_s=d.jerk.join_s,
            start_zone_m=d.jerk.start * range_m,
            shove_s=d.jerk.shove_s,
            band=band * k,
            band_hold_s=d.tension_out.hold_s * k,
            band_join_s=d.tension_out.join_s,
            unload=max(d.unload.low, d.unload.factor * jerk_m_s2 / g) * k,
            unload_hold_s=d.unload.hold_s * k,
            slack_n=d.slack.tension * load_n / k,
            slack_hold_s=d.slack.hold_s * k,
            ceiling_n=heavy_n + (ceiling_n - heavy_n) * k,
            ceiling_factor=1 + (d.force_ceiling.factor - 1) * k,
            factor=k,
            ceiling_hold_s=d.force_ceiling.hold_s * k,
            lockout_zone_x_m=lockout_m
            - rest_m
            - max(d.lockout_rest.zone_min_m, d.lockout_rest.zone_fraction * range_m) / k,
            lockout_m_s=rest_m_s / k,
            lockout_s=(d.lockout_rest.dwell_superslow_s if superslow else d.lockout_rest.dwell_s) * k,
            touch_m=d.set.off_rest_m / k,
            contact_join_s=d.stack_touch.join_s,
            held_tension_n=d.held.tension * load_n,
            held_s=d.held.hold_s,
            set_down_s=d.turnaround.set_down_s,
            touch_tension_n=d.stack_touch.tension * load_n / k,
            touch_hold_s=d.stack_touch.hold_s * k,
            slam_m_s=max(d.stack_touch.slam_m_s, kappa(negative_s) * negative_m_s) * k,
            bottom_rest_s=d.bottom_rest.hold_s * k,
            stall_zone_x_m=(
                bottom_m - rest_m + d.stall.low * range_m * k,
                bottom_m - rest_m + (1 - (1 - d.stall.high) * k) * range_m,
            ),
            stall_m_s=rest_m_s / k,
            stall_move_m_s=d.motion.move_factor * rest_m_s / k,
            stall_travel_m=d.stall.travel_m / k,
            stall_s=d.stall.hold_s * k,
            failure_stall_s=d.failure.stall_s * k,
            failure_total_s=d.failure.total_s * k,
            failure_descent_m=d.failure.descent * range_m * k,
            pushing_n=PUSHING * load_n,
            assist_n=np.maximum(ASSIST_SIZE * load_n, ASSIST_MIN_N) * k,
            assist_s=ASSIST_S * k,
            lifted_n=LIFTED * load_n,
            start_25_mm_s=START_SLOWNESS * (START_TO_M - d.set.off_rest_m) / positive_m_s * k,
            start_rise_n_s=START_RISE_PER_S * load_n / k,
            start_from_n=START_UPLOAD_FROM * load_n,
            speed_positive_m_s=kappa(positive_s) * positive_m_s * k,
            speed_negative_m_s=kappa(negative_s) * negative_m_s * k,
            speed_hold_s=d.speed_over.hold_s * k,
            static_level=1 - (1 - d.failure.static_level) * k,
            static_hold_s=d.failure.static_hold_s * k,
            static_after_s=d.failure.static_after_s,
        )
