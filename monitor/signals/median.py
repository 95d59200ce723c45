"""The median for the live analysis.

`np.median` imports numpy.ma when it is first called: that delays the daemon in the middle of a set, and ends it if no
file can be opened.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[np.float64] | Sequence[float]) -> float:
    """As `np.median`, of at least one value; none of them is NaN."""
    ordered = np.sort(values)
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)
