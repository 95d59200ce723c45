"""Lists the numbers that follow from a profile, for a person to check."""

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.profile.limits import Limits, limits_of
from monitor.profile.profile import Profile
from monitor.profile.weights import shown_in, weight


def derived(profile: Profile) -> dict[str, str]:
    """The numbers that detection compares with: name to text with its unit; weights in the profile's unit."""
    with shown_in(profile.display.units):
        return _derived(profile)


def _derived(profile: Profile) -> dict[str, str]:
    machine, protocol, limits = profile.machine, profile.protocol, limits_of(profile)
    numbers = {"machine": f"{machine.id}, {machine.kind}"}
    if machine.kind == "static":
        stages = zip(protocol.stages, protocol.stages_s, strict=True)
        numbers["stages"] = ", ".join(f"{share:.0%} for {duration_s:g} s" for share, duration_s in stages)
        numbers["peak"] = _force(machine.peak_n)
        numbers["band"] = f"±{limits.band:.0%} of the target"
        return numbers
    assumed = "" if limits.range_known else " (assumed until it is learned from repetitions)"
    name = f" ({protocol.name})" if protocol.name else ""
    return numbers | {
        "range": f"{limits.range_m * 1000:.0f} mm{assumed}",
        "tempo": f"{protocol.positive_s:g} s up, {protocol.negative_s:g} s down{name}",
        "target speed": f"{limits.v_up_m_s * 1000:.0f} mm/s up, {limits.v_down_m_s * 1000:.0f} mm/s down",
        "at rest": f"below {limits.v_rest_m_s * 1000:.1f} mm/s",
        "jerk": f"above {limits.a_jerk_m_s2 / STANDARD_GRAVITY_M_S2:.3f} g",
        "band": f"±{limits.band:.1%} of the load",
        "lockout": f"above {(limits.rest_m + limits.lockout_zone_m) * 1000:.0f} mm for {limits.lockout_dwell_s:g} s",
        "load": _force(limits.load_n),
        "friction": "learned" if limits.friction is None else f"{limits.friction:.0%} of the load",
    }


def varying_load_sentence(limits: Limits) -> str | None:
    """The sentence about a machine whose load was found to vary along the way; None if it does not vary."""
    curve, load_n = limits.resistance, limits.selected_n
    if curve is None or load_n is None:
        return None
    low_n, high_n = min(curve.shares) * load_n, max(curve.shares) * load_n
    return f"the load varies along the way, from {low_n:.0f} to {high_n:.0f} N; tension is judged by that curve"


def short_range_sentence(limits: Limits) -> str | None:
    """The reason why the range could not be learned; None if it is known, or nothing has moved yet."""
    if limits.short_range_m is None:
        return None
    way, least = f"{limits.short_range_m * 1000:.0f} mm", f"{limits.detect.range.least_m * 1000:.0f} mm"
    return (
        f"the range is too short to be learned: the stack moves by {way}, and repetitions are counted from {least} on;"
        " give bottom_m and top_m in [machine]"
    )


def _force(force_n: float | None) -> str:
    return "learned" if force_n is None else f"{force_n:.0f} N ({weight(force_n, 0)})"
