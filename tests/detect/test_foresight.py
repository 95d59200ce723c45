"""How long an acceleration lasts, foreseen by its last moments."""

import numpy as np
from numpy.typing import NDArray

from monitor.detect.foresight import FORESEEN, SHOWN, Outlook, by_parabola, grows
from monitor.signals.grid import STEP_S
from monitor.signals.kernels import ACCELERATION_HZ, BEND_HZ, SLOPE, SPREAD_M_S2, outlook

THRESHOLD_M_S2 = 0.784


def windows_of_smooth_acceleration(n: int = 20_000) -> NDArray[np.float64]:
    """Noise with the spectrum of acceleration in faulty sets, low-passed at 6 Hz; shape (windows, SHOWN + FORESEEN)."""
    f_hz = np.fft.rfftfreq(n, STEP_S)
    whole = (1 + (f_hz / BEND_HZ) ** SLOPE) ** -0.5
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=n)) * whole
    scale = SPREAD_M_S2 / float(np.fft.irfft(spectrum, n).std())
    a = scale * np.fft.irfft(spectrum / (1 + (f_hz / ACCELERATION_HZ) ** 4), n)
    return np.lib.stride_tricks.sliding_window_view(a, SHOWN + FORESEEN)


def test_an_outlook_is_as_far_off_as_it_says() -> None:
    windows = windows_of_smooth_acceleration()
    kernels, error_m_s2 = outlook(SHOWN, FORESEEN)
    off_m_s2 = windows[:, SHOWN:] - windows[:, :SHOWN] @ kernels.T
    assert (np.sqrt((off_m_s2**2).mean(axis=0)) < 1.2 * error_m_s2).all()


def test_behind_a_peak_the_outlook_is_nearer_than_the_parabola() -> None:
    off = []
    for window in windows_of_smooth_acceleration()[::7]:
        seen, coming = window[:SHOWN], window[SHOWN:]
        if grows(seen) or seen.min() <= THRESHOLD_M_S2:
            continue
        below = (coming <= THRESHOLD_M_S2).nonzero()[0]
        true = int(below[0]) if len(below) else FORESEEN
        guesses = Outlook().steps_beyond(seen, THRESHOLD_M_S2), by_parabola(seen, THRESHOLD_M_S2, FORESEEN)
        off.append([abs(guess - true) for guess in guesses])
    assert len(off) > 100
    by_outlook, by_bend = np.mean(off, axis=0)
    assert by_outlook < 0.85 * by_bend
