"""The report draws a machine's resistance where it varies along the way, and only there."""

import re
import tomllib

from monitor.profile.limits import limits_of
from monitor.profile.reading import profile_from_builtins
from monitor.profile.resistance import Resistance
from monitor.report.resistance_section import _axis, _Frame, resistance_section
from tests.profiles import PROFILE

LIMITS = limits_of(profile_from_builtins(tomllib.loads(PROFILE)))
KNOWN = LIMITS.with_load(800.0, 0.08, load_from="learned", friction_from="learned")
CAM, PULLEY = Resistance(0.0, 0.5, (0.9, 1.1, 1.0)), Resistance(0.0, 0.5, (1.0, 1.0), inertia=0.5)


def test_a_pulley_that_moves_less_mass_has_no_curve() -> None:
    assert "varies along the way" in str(resistance_section(KNOWN.with_resistance(CAM), None))
    assert not str(resistance_section(KNOWN.with_resistance(PULLEY), None))


def test_no_number_of_the_axes_covers_another() -> None:
    """They are 14 px high. Those of the forces end at 50 px; those of the places stand around their place."""
    drawn = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">', str(_axis(_Frame(0.03, 0.48, 1400.0))))
    forces_y = [float(y) for _, y, anchor in drawn if anchor == "end"]
    places_y = [float(y) for _, y, anchor in drawn if anchor == "middle"]
    assert len(forces_y) == 5
    assert len(places_y) == 3
    assert max(forces_y) <= min(places_y) - 14
