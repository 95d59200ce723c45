"""A stored calibration, for tests."""

from monitor.calibrate.answers import Answers
from monitor.calibrate.history import StoredCalibration
from monitor.calibrate.step_results import Progress, RestResult, SpanResult


def rest(force_counts: float = 1000.0, noise_counts: float = 50.0, drift: float = 0.0) -> RestResult:
    return RestResult(
        position_counts=0.0, force_counts=force_counts, noise_counts=noise_counts, drift_counts_per_s=drift
    )


def calibrated(noise_counts: float = 50.0) -> StoredCalibration:
    span = SpanResult(newtons_per_count=0.01, residuals=(0.001, -0.002), linearity=0.001)
    answers = Answers(weights=("20", "60"))
    state = Progress(
        started_utc="2026-01-01T00:00:00+00:00", answers=answers, rest=rest(noise_counts=noise_counts), span=span
    )
    return StoredCalibration(
        finished_utc="2026-01-01T01:00:00+00:00",
        version="1",
        state=state,
        after={"calibration": {"newtons_per_count": 0.01}},
        before={},
        written=True,
    )
