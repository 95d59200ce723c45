"""The pictures of the handout: a time beside its window, and a figure over the last visits. Both are SVG."""

from collections.abc import Sequence

from monitor.report.markup import Markup, element

WIDE, HIGH = 120.0, 12.0
LINE_WIDE, LINE_HIGH, EDGE = 80.0, 20.0, 3.0
AROUND = 0.1  # share of the largest value that is left free above and below a line


def window_picture(under_load_s: float, low_s: float, high_s: float, most_s: float) -> Markup:
    """A bar as long as the time under load, on the band of its window; the picture is `most_s` wide."""
    at = [min(seconds / most_s, 1.0) * WIDE for seconds in (under_load_s, low_s, high_s)]
    return element(
        "svg",
        element("rect", class_="band", x=_number(at[1]), y=0, width=_number(at[2] - at[1]), height=_number(HIGH)),
        element("rect", class_="bar", x=0, y="3.5", width=_number(at[0]), height=5),
        *(element("line", class_="edge", x1=_number(x), x2=_number(x), y1=0, y2=_number(HIGH)) for x in at[1:]),
        viewBox=f"0 0 {_number(WIDE)} {_number(HIGH)}",
        class_="window",
        role="img",
        aria_label=f"{under_load_s:.0f} s under load, beside the window from {low_s:g} to {high_s:g} s",
    )


def line_picture(values: Sequence[float | None], label: str) -> Markup:
    """One value for each visit, the newest on the right and marked by a dot; the line breaks where none is known."""
    known = [value for value in values if value is not None]
    if not known:
        return Markup("")
    room = AROUND * max(known) or 1.0
    low, high = min(known) - room, max(known) + room
    step = (LINE_WIDE - 2 * EDGE) / max(1, len(values) - 1)
    points = [
        None if value is None else (EDGE + at * step, LINE_HIGH - (value - low) / (high - low) * LINE_HIGH)
        for at, value in enumerate(values)
    ]
    x, y = next(point for point in reversed(points) if point is not None)
    return element(
        "svg",
        *(element("polyline", class_="line", points=_path(stretch)) for stretch in _stretches(points)),
        element("circle", class_="dot", cx=_number(x), cy=_number(y), r=2),
        viewBox=f"0 0 {_number(LINE_WIDE)} {_number(LINE_HIGH)}",
        class_="visits",
        role="img",
        aria_label=label,
    )


def _stretches(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The points without the gaps between them."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is not None:
            stretches[-1].append(point)
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if len(stretch) > 1]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
