"""Profiles that several tests start from."""

PROFILE = """
[machine]
id = "bad-input"
kind = "stack"
bottom_m = 0.03
top_m = 0.43

[protocol]
name = "2/4"
"""


CALIBRATION = "[calibration]\nmetres_per_count = 0.0001\nnewtons_per_count = 0.05\n"
