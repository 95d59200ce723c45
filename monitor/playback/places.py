"""Finds positions of a table that cannot be this machine's: by their sign, their unit, or their zero."""

import numpy as np
from numpy.typing import NDArray

from monitor.profile.profile import Profile
from monitor.record.table.reading import negated_option
from monitor.record.table.table import Table

LEAST_SHARE = 0.25  # of the range: so much travel is a movement, wherever the profile puts the rest
LEAST_RANGES, MOST_RANGES = 0.15, 2.0  # less or more travel is another unit: no machine and no lift differs that much
STILL_M = 0.005  # an encoder that shows no more shows no movement
WILD_SHARE = 0.01  # of the positions may be wrong
SLACK_SHARE = 0.2  # of the force that is usual under load: with less the stack lies on its rest
FEWEST_SLACK = 0.02  # of the rows


def place_remarks(profile: Profile, table: Table) -> list[str]:
    """Warnings for a person, each with its remedy."""
    machine, x_m = profile.machine, table.samples.position_m
    known_m = x_m[~np.isnan(x_m)]
    rest_m = machine.bottom_m if machine.rest_m is None else machine.rest_m
    if machine.kind != "stack" or rest_m is None or machine.top_m is None or not len(known_m):
        return []
    range_m = machine.top_m - rest_m
    low_m, high_m = (float(edge_m) + 0.0 for edge_m in np.quantile(known_m, (WILD_SHARE, 1 - WILD_SHARE)))
    lie = f"the positions go from {low_m:.3f} to {high_m:.3f} m"
    turn = f"if positions fall while the stack rises, add {negated_option(table.reading, 'x')}"
    ranges = (high_m - low_m) / range_m
    if ranges > MOST_RANGES or (ranges < LEAST_RANGES and high_m - low_m > STILL_M):
        given = f"{'further' if ranges > 1 else 'less'} than {rest_m:.3f} to {machine.top_m:.3f} m in the profile"
        return [f"{lie}, much {given}: give their unit (--units), or correct the profile"]
    if low_m < rest_m - LEAST_SHARE * range_m and high_m < rest_m + LEAST_SHARE * range_m:
        return [f"{lie}, below the rest of the profile ({rest_m:.3f} m): {turn}; if not, correct rest_m"]
    slack_m = _slack_m(x_m, table.samples.force_n)
    if slack_m is None or slack_m < rest_m + (1 - LEAST_SHARE) * range_m:
        return []
    rest = f"without force the stack is at {slack_m:.3f} m, far above the rest of the profile ({rest_m:.3f} m)"
    return [f"{rest}: {turn} and correct bottom_m and top_m; if not, correct rest_m"]


def _slack_m(x_m: NDArray[np.float64], force_n: NDArray[np.float64]) -> float | None:
    """The lowest place at which the cable is often slack; None if it never is."""
    both = ~np.isnan(x_m) & ~np.isnan(force_n)
    if not both.any():
        return None
    usual_n = float(np.quantile(force_n[both], 0.9))
    slack_m = x_m[both & (force_n < SLACK_SHARE * usual_n)]
    return float(np.quantile(slack_m, WILD_SHARE)) if len(slack_m) > FEWEST_SLACK * len(x_m) else None
