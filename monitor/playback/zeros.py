"""Finds a cell in a table that reads a force while nothing pulls: each load would be wrong by that much."""

import numpy as np

from monitor.profile.profile import Profile
from monitor.record.table.reading import HEADERS
from monitor.record.table.table import Table

LEAST_N, LEAST_SHARE = 5.0, 0.01  # of the force that is usual under load: less matters little
FEWEST = 100  # readings; fewer are too short a time to judge
WILD_SHARE = 0.02  # of the readings may be wrong


def zero_remarks(profile: Profile, table: Table) -> list[str]:
    """A warning if the cell reads a force on the rest before the first lift, and no less in any later pause.

    A reading below 0 cannot be a pull, so it is reported even if it changes later. A reading above 0 that disappears
    later is a hand on the handle, or a zero that drifts, which detection follows.
    """
    machine, x_m, force_n = profile.machine, table.samples.position_m, table.samples.force_n
    rest_m = machine.bottom_m if machine.rest_m is None else machine.rest_m
    if machine.kind != "stack" or rest_m is None:
        return []
    lifted = np.flatnonzero(x_m > rest_m + profile.detect.set.off_rest_m)
    known = ~np.isnan(force_n)
    before_n = force_n[: lifted[0] if len(lifted) else 0]
    before_n = before_n[~np.isnan(before_n)]
    if len(before_n) < FEWEST:
        return []
    zero_n = float(np.median(before_n[: len(before_n) // 2]))  # later the cable is loaded
    least_n = float(np.quantile(force_n[known], WILD_SHARE))
    enough_n = max(LEAST_N, LEAST_SHARE * float(np.quantile(force_n[known], 1 - WILD_SHARE)))
    if abs(zero_n) < enough_n or (zero_n > 0 and least_n < zero_n - LEAST_N):
        return []
    read = f"before the first lift the cell reads {zero_n:.0f} N, with the stack on its rest"
    return [f"{read}: if nothing pulls there, subtract that from {table.reading.header('f') or HEADERS['f']}"]
