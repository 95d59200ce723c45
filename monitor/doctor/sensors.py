"""The sensors at rest: the cell's noise, its zero and whether that walks, and what the encoder missed."""

from monitor.calibrate.findings import Rest
from monitor.calibrate.kept import Kept
from monitor.doctor.finding import Finding, bad, note, ok
from monitor.profile.profile import CalibrationSettings, MachineSettings

MOST_NOISE_N = 4.0  # where no calibration says what it was: 2 % of 20 kg
LOUDER = 3.0  # than at calibration
LEAST_NOISE_N = 0.5  # below that no matter
MOST_WALK_N_MIN = 2.0
MOST_ZERO_SHARE = 0.1  # of lift_off_n: further off, light sets begin or end wrongly


def cell_noise(rest: Rest, table: CalibrationSettings, kept: Kept | None) -> Finding:
    noise_n = rest.noise_counts * abs(table.newtons_per_count)
    limit_n, should = MOST_NOISE_N, f"below {MOST_NOISE_N:g} N"
    if kept is not None and kept.state.rest is not None and kept.state.span is not None:
        before_n = kept.state.rest.noise_counts * abs(kept.state.span.newtons_per_count)
        limit_n = max(LOUDER * before_n, LEAST_NOISE_N)
        should = f"below {limit_n:.1f} N (it was {before_n:.2f} N at calibration)"
    if noise_n <= limit_n:
        return ok("cell_noise", f"{noise_n:.2f} N rms at rest", should)
    remedy = "look for a loose wire of the cell; shield its cable, keep motors and chargers away"
    return bad("cell_noise", f"{noise_n:.2f} N rms at rest", should, remedy)


def cell_drift(rest: Rest, table: CalibrationSettings, machine: MachineSettings) -> Finding:
    scale = table.newtons_per_count
    walk_n_min = rest.drift_counts_per_s * scale * 60
    zero_n = (rest.force_counts - table.force_zero_counts) * scale
    most_n = MOST_ZERO_SHARE * machine.lift_off_n
    found = f"{zero_n:+.1f} N at rest, walking {walk_n_min:+.1f} N a minute"
    should = f"within {most_n:g} N of zero, walking less than {MOST_WALK_N_MIN:g} N a minute"
    if abs(walk_n_min) > MOST_WALK_N_MIN and abs(rest.drift_counts_per_s) * 8 > rest.noise_counts:
        return note("cell_drift", found, should, "let board and cell warm up for a quarter of an hour, look again")
    if abs(zero_n) > most_n:
        return bad("cell_drift", found, should, "let the cable go slack; if it stays, `rep-monitor calibrate` again")
    return ok("cell_drift", found, should)


def told_drift(zero_n: float | None, sentence: str | None) -> Finding:
    """What a running daemon has seen of its calibration in this session."""
    should = "zero and span as calibrated"
    if sentence is not None:
        what, _, remedy = sentence.partition(": ")
        return bad("cell_drift", what, should, remedy)
    seen = "not enough seen in this session yet" if zero_n is None else f"{zero_n:+.1f} N at rest in this session"
    return ok("cell_drift", f"{seen}, says the daemon", should)


def encoder(missed_now: int, missed_before: int) -> Finding:
    """Transitions that cannot be: while we listened, and since the board was switched on."""
    should = "no count missed"
    if missed_now:
        remedy = "fasten the encoder, shorten its cable; then calibrate again"
        return bad("encoder", f"{missed_now} illegal transitions within seconds", should, remedy)
    if missed_before:
        remedy = "if it happens again: fasten the encoder, shorten its cable"
        return note("encoder", f"{missed_before} illegal transitions since the board was switched on", should, remedy)
    return ok("encoder", "no illegal transition", should)
