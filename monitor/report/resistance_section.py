"""The section of the report about the machine's resistance along its way, and the lifter's strength beside it."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from monitor.profile.limits import Limits
from monitor.profile.strength import StrengthTest
from monitor.report.markup import Markup, element
from monitor.report.words import newtons

WIDTH, HEIGHT, EDGE = 640, 300, 56
PLACES = 41
LABEL_DOWN = {"up": -4, "down": 12, "strength": 4}  # so that labels of close curves do not overlap
UNBALANCED = 0.1  # the machine asks for so much more or less of the strength than on average
BAYE = "A properly designed machine provides resistance that is balanced to the strength of the muscles."

Column = NDArray[np.float64]


def resistance_section(limits: Limits, strength: StrengthTest | None) -> Markup:
    """Empty where the load is the same along the whole way and no strength was tested."""
    if limits.selected_n is None or (limits.resistance is None and strength is None):
        return Markup("")
    words = [element("p", _load_words(limits))]
    if strength is not None:
        words += [element("p", sentence, class_="balance") for sentence in balance(limits, strength)]
        words.append(element("p", BAYE, class_="quiet"))
    title = "Resistance along the way" if strength is None else "Resistance and strength"
    return element("section", element("h2", title), _picture(limits, strength), *words, class_="block", id="resistance")


def balance(limits: Limits, strength: StrengthTest) -> list[str]:
    """Where the machine is too light and where too heavy for a lifter of that strength, from bottom to top."""
    assert limits.selected_n is not None
    places_m = _places_m(limits)
    asked = _resistance_n(limits, places_m) / strength.at(places_m)
    known = ~np.isnan(asked)
    if not known.any():
        return ["The strength was tested outside the range of this session."]
    off = asked[known] / asked[known].mean() - 1
    sides = np.sign(off) * (np.abs(off) > UNBALANCED)
    edges = [0, *(np.flatnonzero(np.diff(sides)) + 1).tolist(), len(sides)]
    said = [
        _side_words(places_m[known][first], places_m[known][last - 1], float(off[first:last].mean()))
        for first, last in pairwise(edges)
        if sides[first]
    ]
    return said or [f"The machine is balanced to the strength: everywhere within {UNBALANCED:.0%} of its average."]


def _side_words(from_m: float, to_m: float, off: float) -> str:
    side = "heavy" if off > 0 else "light"
    return (
        f"From {from_m * 100:.0f} to {to_m * 100:.0f} cm above the rest the machine is too {side}: it asks for "
        f"{abs(off):.0%} {'more' if off > 0 else 'less'} of the strength there than on average."
    )


def _load_words(limits: Limits) -> str:
    load_n = limits.selected_n
    assert load_n is not None
    if limits.resistance is None:
        return f"The load is {newtons(load_n)} along the whole way."
    forces_n = _resistance_n(limits, _places_m(limits))
    return (
        f"The load varies along the way, from {newtons(float(forces_n.min()))} to {newtons(float(forces_n.max()))}; "
        f"its mean is {newtons(load_n)}. Tension is judged by this curve."
    )


def _places_m(limits: Limits) -> Column:
    return np.linspace(limits.bottom_m, limits.top_m, PLACES)


def _resistance_n(limits: Limits, places_m: Column) -> Column:
    """W(x) of the way up."""
    assert limits.selected_n is not None
    return np.broadcast_to(limits.selected_n * np.asarray(limits.share_at(places_m)), places_m.shape)


def _picture(limits: Limits, strength: StrengthTest | None) -> Markup:
    places_m = _places_m(limits)
    resistance_n, friction = _resistance_n(limits, places_m), limits.friction or 0.0
    curves = {
        "up": ("way up", resistance_n * (1 + friction)),
        "down": ("way down", limits.down * resistance_n * (1 - friction)),
    }
    if strength is not None:
        curves["strength"] = ("strength", strength.at(places_m))
    tested_n = [one.force_n for one in strength.efforts] if strength is not None else []
    most_n = 1.1 * max(*(float(np.nanmax(force_n, initial=0.0)) for _, force_n in curves.values()), *tested_n, 1.0)
    drawn = [_axis(limits, most_n)]
    for name, (label, force_n) in curves.items():
        known = np.flatnonzero(~np.isnan(force_n))
        if not len(known):
            continue
        points = [_point(limits, most_n, float(places_m[i]), float(force_n[i])) for i in known]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn.append(element("polyline", points=line, class_=f"curve {name}"))
        x, y = points[-1]
        drawn.append(element("text", label, x=f"{x + 6:.1f}", y=f"{y + LABEL_DOWN[name]:.1f}", class_=name))
    for one in strength.efforts if strength is not None else ():
        x, y = _point(limits, most_n, one.position_m, one.force_n)
        drawn.append(element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_="strength"))
    box = f"0 0 {WIDTH + 80} {HEIGHT}"
    picture = element("svg", *drawn, viewBox=box, role="img", aria_label="Force along the way", class_="resistance")
    return element("figure", picture)


def _axis(limits: Limits, most_n: float) -> Markup:
    lines = []
    for share in (0.0, 0.5, 1.0):
        place_m = limits.bottom_m + share * (limits.top_m - limits.bottom_m)
        x, y = _point(limits, most_n, place_m, share * most_n)
        lines.append(element("line", class_="grid", x1=EDGE, x2=WIDTH, y1=f"{y:.1f}", y2=f"{y:.1f}"))
        lines.append(element("text", f"{share * most_n:.0f} N", x=EDGE - 6, y=f"{y + 4:.1f}", text_anchor="end"))
        label = f"{place_m * 100:.0f} cm"
        lines.append(element("text", label, x=f"{x:.1f}", y=HEIGHT - 8, text_anchor="middle"))
    return element("g", *lines, class_="axis")


def _point(limits: Limits, most_n: float, place_m: float, force_n: float) -> tuple[float, float]:
    share = (place_m - limits.bottom_m) / max(1e-6, limits.top_m - limits.bottom_m)
    return EDGE + share * (WIDTH - EDGE), HEIGHT - 30 - force_n / most_n * (HEIGHT - 50)
