"""Finds positions of a table that cannot be this machine's: they fall where its stack rises."""

import numpy as np
from numpy.typing import NDArray

from monitor.profile.profile import Profile

LEAST_SHARE = 0.25  # of the range: so much travel is a movement, wherever the profile puts the rest
WILD_SHARE = 0.01  # of the positions may be wrong


def place_remarks(profile: Profile, position_m: NDArray[np.float64]) -> list[str]:
    """Warnings for a person, each with its remedy."""
    machine, known_m = profile.machine, position_m[~np.isnan(position_m)]
    rest_m = machine.bottom_m if machine.rest_m is None else machine.rest_m
    if machine.kind != "stack" or rest_m is None or machine.top_m is None or not len(known_m):
        return []
    least_m = LEAST_SHARE * (machine.top_m - rest_m)
    low_m, high_m = (float(edge_m) + 0.0 for edge_m in np.quantile(known_m, (WILD_SHARE, 1 - WILD_SHARE)))
    if not (low_m < rest_m - least_m and high_m < rest_m + least_m):
        return []
    return [
        f"the positions go from {low_m:.3f} to {high_m:.3f} m, below the rest of the profile ({rest_m:.3f} m): "
        "if they fall while the stack rises, change their signs; if not, correct rest_m"
    ]
