"""Turns the results of a calibration into keys of a profile, with no more digits than were measured."""

from monitor.calibrate.step_results import Progress

Changes = dict[str, dict[str, float | int]]


def changes_of(state: Progress, kind: str) -> Changes:
    """`{table: {key: value}}`, for the profile of a machine of this kind."""
    span, rest = state.span, state.rest
    assert span is not None
    assert rest is not None
    last = state.last or rest
    calibration: dict[str, float | int] = {}
    machine: dict[str, float | int] = {}
    if state.height is not None:
        calibration["metres_per_count"] = _digits(state.height.metres_per_count)
        calibration["position_zero_counts"] = round(rest.position_counts)
    calibration["newtons_per_count"] = _digits(span.newtons_per_count)
    calibration["force_zero_counts"] = round((rest.force_counts + last.force_counts) / 2)
    if (found := state.repetitions) is not None:
        machine["rest_m"] = 0.0
        machine["bottom_m"] = round(found.bottom_m, 4)
        machine["top_m"] = round(found.top_m, 4)
        machine["lockout_m"] = min(round(found.lockout_m, 4), machine["top_m"])
        if found.friction is not None:
            machine["friction"] = round(found.friction, 3)
    if kind == "motor":
        del machine["lockout_m"]  # joints are never locked against a motor
    return {table: values for table, values in (("machine", machine), ("calibration", calibration)) if values}


def _digits(value: float) -> float:
    return float(f"{value:.6g}")
