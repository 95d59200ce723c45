"""Event records for the pages."""

from typing import Any

REP: dict[str, Any] = {
    "partial": False, "positive_s": 5.1, "negative_s": 4.9, "upper_dwell_s": 0.4, "lower_dwell_s": 0.6, "rom_m": 0.48,
    "peak_velocity_m_s": 0.12, "peak_g": 0.05, "tension_min_n": 700.0, "tension_mean_n": 804.0, "tension_max_n": 900.0,
    "in_band_s": 8.8, "duration_s": 11.0, "segmented": {"positive": 1, "negative": 0},
    "start": {"grade": "squeezed", "upload_s": 0.8, "first_25_mm_s": 0.6, "peak_g": 0.02},
}  # fmt: skip
