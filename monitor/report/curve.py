"""A measured curve, thinned as it comes to the least and the most of each bucket of time.

    curve = Curve(0.005)
    curve.add(t_s, values)       in any pieces, roughly in the order of time; NaN: not measured
    curve.packed()               what a page draws from: whole numbers, base64

An hour and a minute take the same room: when the buckets become too many, neighbours are put together. A spike stays.
"""

import base64

import msgspec
import numpy as np
from numpy.typing import NDArray

MOST_BUCKETS = 120_000
EMPTY = -32768  # nothing was measured in this bucket
LARGEST = 32000
_EDGE = 1e-9  # of a bucket: a stamp that means its beginning


class Packed(msgspec.Struct, frozen=True):
    """Little-endian int16, base64; times `scale` it is SI. `high` None: as `low`. Bucket k begins at k * `bucket_s`."""

    bucket_s: float
    scale: float
    low: str
    high: str | None


class Curve:
    """`most` buckets at most, an even number."""

    def __init__(self, bucket_s: float, most: int = MOST_BUCKETS) -> None:
        self.bucket_s = bucket_s
        self._most = most
        self._low = np.full(most, np.nan)
        self._high = np.full(most, np.nan)
        self._count = 0

    def add(self, t_s: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        known = ~np.isnan(values) & (t_s >= 0)
        t_s, values = t_s[known], values[known]
        if not len(t_s):
            return
        while (last := int(t_s.max() / self.bucket_s + _EDGE)) >= self._most:
            self._halve()
        self._count = max(self._count, last + 1)
        at = (t_s / self.bucket_s + _EDGE).astype(np.int64)
        np.fmin.at(self._low, at, values)
        np.fmax.at(self._high, at, values)

    @property
    def is_empty(self) -> bool:
        return bool(np.isnan(self._low[: self._count]).all())

    def packed(self) -> Packed:
        low, high = self._low[: self._count], self._high[: self._count]
        extent = 0.0 if self.is_empty else float(np.nanmax(np.abs((low, high))))
        scale = max(extent / LARGEST, 1e-6)
        return Packed(
            bucket_s=self.bucket_s,
            scale=scale,
            low=_encoded(low, scale),
            high=None if np.array_equal(low, high, equal_nan=True) else _encoded(high, scale),
        )

    def _halve(self) -> None:
        """Neighbours put together."""
        self.bucket_s *= 2
        self._count = (self._count + 1) // 2
        for column, join in ((self._low, np.fmin), (self._high, np.fmax)):
            half = join(column[0::2], column[1::2])
            column[: len(half)] = half
            column[len(half) :] = np.nan


def _encoded(values: NDArray[np.float64], scale: float) -> str:
    whole = np.where(np.isnan(values), EMPTY, np.round(values / scale)).astype("<i2")
    return base64.b64encode(whole.tobytes()).decode()
