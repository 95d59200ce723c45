"""Where the tension bar stands, and which colour it has."""

import pytest

from tests import needs
from tests.browser import Page
from tests.display.rules import run

pytestmark = needs.chromium


def test_the_bar_has_a_dead_band_and_is_exact_beyond_it(rules: Page) -> None:
    levels = run(
        rules,
        """const { barLevel } = await import("/js/bar.js");
        return [0.97, 1, 1.03, 0.9, 1.1, 0.8, 1.2, 0.4, 3].map((tension) => barLevel(tension, 0.1, "none"));""",
    )
    assert levels[:3] == [0.5, 0.5, 0.5]  # the dead band
    assert levels[3:] == pytest.approx([0.4, 0.6, 0.3, 0.7, 0.0, 1.0])
    edges = run(
        rules,
        """const { barLevel } = await import("/js/bar.js");
        return [0.08, 0.1, 0.147].map((half) => barLevel(1 + half, half, "none"));""",
    )
    assert edges == pytest.approx([0.6] * 3)  # the band's place is the same whatever its width


def test_the_bar_never_contradicts_its_colour(rules: Page) -> None:
    """Not even when a colour is held for a moment, or by the daemon's rounding."""
    low, inside, high = run(
        rules,
        """const { barLevel } = await import("/js/bar.js");
        const tensions = [0.5, 0.91, 1, 1.09, 1.5];
        return ["low", "in", "high"].map((band) => tensions.map((tension) => barLevel(tension, 0.1, band)));""",
    )
    assert max(low) < 0.4
    assert min(high) > 0.6
    assert min(inside) == pytest.approx(0.4)
    assert max(inside) == pytest.approx(0.6)
