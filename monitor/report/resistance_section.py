"""The section of the report about the machine's resistance along its way, and the lifter's strength beside it."""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.profile.limits import Limits
from monitor.profile.strength import StrengthTest
from monitor.profile.weights import newtons, weight
from monitor.report.markup import Markup, element

WIDTH, HEIGHT, EDGE = 640, 300, 56
PLACES = 41
LABEL_DOWN = {"up": -4, "down": 12, "strength": 4}  # so that labels of close curves do not overlap
UNBALANCED = 0.1  # of the strength: the machine asks for this much more or less than on average
LEAST_WAY = 0.1  # of the range: a shorter stretch is not worth a sentence
BAYE = "A properly designed machine provides resistance that is balanced to the strength of the muscles."

Column = NDArray[np.float64]


def resistance_section(limits: Limits, strength: StrengthTest | None) -> Markup:
    """Empty where the load is the same along the whole way and no strength was tested."""
    if limits.selected_n is None or not (_varies(limits) or strength is not None):
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
        if sides[first] and last - first > LEAST_WAY * PLACES
    ]
    return said or [
        f"The machine is balanced to the strength: nearly everywhere within {UNBALANCED:.0%} of its average."
    ]


def _side_words(from_m: float, to_m: float, off: float) -> str:
    side = "heavy" if off > 0 else "light"
    return (
        f"From {from_m * 100:.0f} to {to_m * 100:.0f} cm above the rest the machine is too {side}: it asks for "
        f"{abs(off):.0%} {'more' if off > 0 else 'less'} of the strength there than on average."
    )


def _load_words(limits: Limits) -> str:
    load_n = limits.selected_n
    assert load_n is not None
    if not _varies(limits):
        return f"The load is {newtons(load_n)} along the whole way."
    forces_n = _resistance_n(limits, _places_m(limits))
    return (
        f"The load varies along the way, from {newtons(float(forces_n.min()))} to {newtons(float(forces_n.max()))}; "
        f"its mean is {newtons(load_n)}. Tension is judged by this curve."
    )


def _varies(limits: Limits) -> bool:
    return limits.resistance is not None and limits.resistance.varies


def _places_m(limits: Limits) -> Column:
    return np.linspace(limits.bottom_m, limits.top_m, PLACES)


def _resistance_n(limits: Limits, places_m: Column) -> Column:
    """W(x) of the way up."""
    assert limits.selected_n is not None
    return np.broadcast_to(limits.selected_n * np.asarray(limits.share_at(places_m)), places_m.shape)


def _picture(limits: Limits, strength: StrengthTest | None) -> Markup:
    places_m, friction = _places_m(limits), limits.friction or 0.0
    resistance_n = _resistance_n(limits, places_m)
    efforts = [] if strength is None else [(one.position_m, one.force_n) for one in strength.efforts]
    curves = {
        "up": ("way up", [*zip(places_m, resistance_n * (1 + friction), strict=True)]),
        "down": ("way down", [*zip(places_m, limits.down * resistance_n * (1 - friction), strict=True)]),
        "strength": ("strength", efforts),
    }
    frame = _Frame.around([point for _, points in curves.values() for point in points])
    drawn = [_axis(frame)]
    for name, (label, points) in curves.items():
        if points:
            drawn += _curve(name, label, [frame.at(*point) for point in points])
    for effort in efforts:
        x, y = frame.at(*effort)
        drawn.append(element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_="strength"))
    box = f"0 0 {WIDTH + 80} {HEIGHT}"
    picture = element("svg", *drawn, viewBox=box, role="img", aria_label="Force along the way", class_="resistance")
    return element("figure", picture)


def _curve(name: str, label: str, points: list[tuple[float, float]]) -> list[Markup]:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return [
        element("polyline", points=line, class_=f"curve {name}"),
        element("text", label, x=f"{x + 10:.1f}", y=f"{y + LABEL_DOWN[name]:.1f}", class_=name),
    ]


class _Frame(NamedTuple):
    """What the picture shows: places from left to right, forces from 0 at the bottom."""

    left_m: float
    right_m: float
    most_n: float

    @classmethod
    def around(cls, points: list[tuple[float, float]]) -> "_Frame":
        places_m, forces_n = zip(*points, strict=True)
        return cls(min(places_m), max(places_m), _round_above(1.05 * max(*forces_n, 1.0)))

    def at(self, place_m: float, force_n: float) -> tuple[float, float]:
        """In the units of the picture."""
        share = (place_m - self.left_m) / max(1e-6, self.right_m - self.left_m)
        return EDGE + share * (WIDTH - EDGE), HEIGHT - 30 - force_n / self.most_n * (HEIGHT - 50)


def _round_above(force_n: float) -> float:
    """The next force whose half is a round number, too."""
    unit_n = 10.0 ** math.floor(math.log10(force_n)) / 5
    return math.ceil(force_n / unit_n) * unit_n


def _axis(frame: _Frame) -> Markup:
    lines = []
    for share, words in ((0.0, ""), (0.5, " above the rest"), (1.0, "")):
        force_n, place_m = share * frame.most_n, frame.left_m + share * (frame.right_m - frame.left_m)
        x, y = frame.at(place_m, force_n)
        lines.append(element("line", class_="grid", x1=EDGE, x2=WIDTH, y1=f"{y:.1f}", y2=f"{y:.1f}"))
        labels = (
            [(f"{force_n:.0f} N", 4), (weight(force_n, 0), 18)] if force_n else [("0", 4)]
        )  # a place stands below 0
        lines += [element("text", text, x=EDGE - 6, y=f"{y + down:.1f}", text_anchor="end") for text, down in labels]
        label = f"{place_m * 100:.0f} cm{words}"
        lines.append(element("text", label, x=f"{x:.1f}", y=HEIGHT - 8, text_anchor="middle"))
    return element("g", *lines, class_="axis")
