"""The expected events of a set that the emulated board streams."""

from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins
from tests.firmware.rig import Truth

REPS = 3


HARMLESS = {"set_start", "set_end", "rep", "turnaround", "stack_touch", "bottom_rest", "sensor_fault"}


def profile_of(truth: Truth) -> Profile:
    wiring = truth.calibration
    machine = {"rest_m": 0.0, "bottom_m": 0.03, "top_m": 0.53, "working_load_n": 784.5, "friction": 0.08}
    table = {
        "machine": {"id": "emulated", "kind": "stack", **machine},
        "protocol": {"positive_s": 2.0, "negative_s": 3.0},
        "calibration": {
            "metres_per_count": wiring.metres_per_count,
            "position_zero_counts": round(wiring.position_zero_counts),
            "newtons_per_count": wiring.newtons_per_count,
            "force_zero_counts": round(wiring.force_zero_counts),
        },
    }
    return profile_from_builtins(table, "the test")
