"""Findings on the sensors at rest: noise, zero and drift of the load cell, missed counts of the encoder."""

from monitor.calibrate.history import StoredCalibration
from monitor.calibrate.step_results import RestResult
from monitor.doctor.finding import Finding, bad, note, ok
from monitor.profile.profile import CalibrationSettings, MachineSettings

MOST_NOISE_N = 4.0  # without a stored calibration: 2 % of 20 kg
MOST_NOISE_RATIO = 3.0  # to the noise at calibration
LEAST_NOISE_N = 0.5  # noise below this never matters
MOST_DRIFT_N_MIN = 2.0
MOST_ZERO_SHARE = 0.1  # of lift_off_n: with a larger error, light sets begin or end wrongly


def cell_noise(rest: RestResult, table: CalibrationSettings, kept: StoredCalibration | None) -> Finding:
    noise_n = rest.noise_counts * abs(table.newtons_per_count)
    limit_n, should = MOST_NOISE_N, f"below {MOST_NOISE_N:g} N"
    if kept is not None and kept.state.rest is not None and kept.state.span is not None:
        before_n = kept.state.rest.noise_counts * abs(kept.state.span.newtons_per_count)
        limit_n = max(MOST_NOISE_RATIO * before_n, LEAST_NOISE_N)
        should = f"below {limit_n:.1f} N (it was {before_n:.2f} N at calibration)"
    if noise_n <= limit_n:
        return ok("cell_noise", f"{noise_n:.2f} N rms at rest", should)
    remedy = "check the cell's wires; shield its cable, keep motors and chargers away"
    return bad("cell_noise", f"{noise_n:.2f} N rms at rest", should, remedy)


def cell_drift(rest: RestResult, table: CalibrationSettings, machine: MachineSettings) -> Finding:
    scale = table.newtons_per_count
    drift_n_min = rest.drift_counts_per_s * scale * 60
    zero_n = (rest.force_counts - table.force_zero_counts) * scale
    most_n = MOST_ZERO_SHARE * machine.lift_off_n
    found = f"{zero_n:+.1f} N at rest, drifting {drift_n_min:+.1f} N a minute"
    should = f"within {most_n:g} N of zero, drifting less than {MOST_DRIFT_N_MIN:g} N a minute"
    if abs(drift_n_min) > MOST_DRIFT_N_MIN and abs(rest.drift_counts_per_s) * 8 > rest.noise_counts:
        return note("cell_drift", found, should, "let board and cell warm up for 15 minutes, then check again")
    if abs(zero_n) > most_n:
        remedy = "let the cable go slack; if the error stays, run `rep-monitor calibrate` again"
        return bad("cell_drift", found, should, remedy)
    return ok("cell_drift", found, should)


def reported_drift(zero_n: float | None, sentence: str | None) -> Finding:
    """The zero and the calibration warning that a running daemon reports for this session."""
    should = "zero and span as calibrated"
    if sentence is not None:
        what, _, remedy = sentence.partition(": ")
        return bad("cell_drift", what, should, remedy)
    seen = "not yet known in this session" if zero_n is None else f"{zero_n:+.1f} N at rest in this session"
    return ok("cell_drift", f"{seen}, by the daemon", should)


def encoder(missed_now: int, missed_before: int) -> Finding:
    """Counts illegal transitions: while the doctor read the port, and before that since the board was switched on."""
    should = "no count missed"
    if missed_now:
        remedy = "fasten the encoder, shorten its cable; then calibrate again"
        return bad("encoder", f"{missed_now} illegal transitions within seconds", should, remedy)
    if missed_before:
        remedy = "if it happens again: fasten the encoder, shorten its cable"
        return note("encoder", f"{missed_before} illegal transitions since the board was switched on", should, remedy)
    return ok("encoder", "no illegal transition", should)
