"""Reduces a measured curve, while it arrives, to the minimum and maximum of each time bucket.

    >>> curve = Curve(bucket_s=0.005)
    >>> curve.add(np.array([0.000, 0.001, 0.006]), np.array([1.0, 3.0, 2.0]))
    >>> packed = curve.packed()  # for a page: integers, base64
    >>> np.round(np.frombuffer(base64.b64decode(packed.low), "<i2") * packed.scale, 3)
    array([1., 2.])

Values come in any pieces, roughly in time order; NaN: not measured. Memory is bounded: when there are too many buckets,
neighbours are merged. Spikes remain visible.
"""

import base64

import msgspec
import numpy as np
from numpy.typing import NDArray

MOST_BUCKETS = 120_000
EMPTY = -32768  # marks a bucket without a measurement
LARGEST = 32000
_EDGE = 1e-9  # of a bucket: tolerance for time stamps at its start


class Packed(msgspec.Struct, frozen=True):
    """Little-endian int16 as base64; multiplied by `scale` it is SI. Bucket k begins at k * `bucket_s`.

    `high` is None where it equals `low`.
    """

    bucket_s: float
    scale: float
    low: str
    high: str | None


class Curve:
    """Holds at most `most` buckets; `most` must be even."""

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
        """Merges neighbouring buckets."""
        self.bucket_s *= 2
        self._count = (self._count + 1) // 2
        for column, join in ((self._low, np.fmin), (self._high, np.fmax)):
            half = join(column[0::2], column[1::2])
            column[: len(half)] = half
            column[len(half) :] = np.nan


def _encoded(values: NDArray[np.float64], scale: float) -> str:
    whole = np.where(np.isnan(values), EMPTY, np.round(values / scale)).astype("<i2")
    return base64.b64encode(whole.tobytes()).decode()
