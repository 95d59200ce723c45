"""Finds positions of a table that cannot be this machine's: by their sign, their unit, or their zero."""

import numpy as np
from numpy.typing import NDArray

from monitor.profile.profile import Profile
from monitor.record.table.reading import negated_option
from monitor.record.table.table import Table

LEAST_SHARE = 0.25  # of the range: so much travel is a movement, wherever the profile puts the rest
LEAST_RANGES, MOST_RANGES = 0.15, 2.0  # less or more travel is another unit: no machine and no lift differs that much
STILL_M = 0.005  # an encoder that shows no more shows no movement
BELOW_M, FAR_M = 0.05, 0.25  # the same where the range is learned: far below the rest, and above any hook or limiter
WILD_SHARE = 0.01  # of the positions may be wrong
SLACK_SHARE = 0.2  # of the force that is usual under load: with less the stack lies on its rest
FEWEST_SLACK = 0.02  # of the rows with both readings


def place_remarks(profile: Profile, table: Table) -> list[str]:
    """Warnings for a person, each with its remedy."""
    machine, x_m = profile.machine, table.samples.position_m
    known_m = x_m[~np.isnan(x_m)]
    if machine.kind != "stack" or not len(known_m):
        return []
    slack_m = _slack_m(x_m, table.samples.force_n)
    rest_m = machine.bottom_m if machine.rest_m is None else machine.rest_m
    if rest_m is None and slack_m is not None and abs(slack_m) > STILL_M:
        silent = "and the profile does not say where it rests"
        return [f"without force the stack is at {slack_m:.3f} m, {silent}: add rest_m = {slack_m:.3f} to [machine]"]
    rest_m = 0.0 if rest_m is None else rest_m
    low_m, high_m = (float(edge_m) + 0.0 for edge_m in np.quantile(known_m, (WILD_SHARE, 1 - WILD_SHARE)))
    lie = f"the positions go from {low_m:.3f} to {high_m:.3f} m"
    turn = f"if positions fall while the stack rises, add {negated_option(table.reading, 'x')}"
    below_m, above_m = BELOW_M, FAR_M
    if machine.top_m is not None:
        range_m = machine.top_m - rest_m
        below_m, above_m = LEAST_SHARE * range_m, (1 - LEAST_SHARE) * range_m
        ranges = (high_m - low_m) / range_m
        if ranges > MOST_RANGES or (ranges < LEAST_RANGES and high_m - low_m > STILL_M):
            given = f"{'further' if ranges > 1 else 'less'} than {rest_m:.3f} to {machine.top_m:.3f} m in the profile"
            return [f"{lie}, much {given}: give their unit (--units), or correct the profile"]
        turn_round = f"{turn} and correct bottom_m and top_m"
    else:
        turn_round = turn
    if low_m < rest_m - below_m and high_m < rest_m + below_m:
        return [f"{lie}, below the rest of the profile ({rest_m:.3f} m): {turn}; if not, correct rest_m"]
    if slack_m is None or slack_m < rest_m + above_m:
        return []
    rest = f"without force the stack is at {slack_m:.3f} m, far above the rest of the profile ({rest_m:.3f} m)"
    return [f"{rest}: {turn_round}; if not, correct rest_m"]


def _slack_m(x_m: NDArray[np.float64], force_n: NDArray[np.float64]) -> float | None:
    """The lowest place at which the cable is often slack; None if it never is."""
    both = ~np.isnan(x_m) & ~np.isnan(force_n)
    if not both.any():
        return None
    usual_n = float(np.quantile(force_n[both], 0.9))
    slack_m = x_m[both & (force_n < SLACK_SHARE * usual_n)]
    return float(np.quantile(slack_m, WILD_SHARE)) if len(slack_m) > FEWEST_SLACK * np.count_nonzero(both) else None
