"""Draws one set as a self-contained SVG of truth, samples, labelled and reported events."""

from collections.abc import Sequence
from html import escape

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.samples import Samples
from tests.quality.circumstances import KEYS
from tests.quality.corpus import Group, case, performed
from tests.quality.judge import Judged, judge
from tests.quality.reported import Reported, reported
from tests.quality.runner import detect
from tests.quality.signals import Floats
from tests.quality.thresholds import Thresholds

PIXELS_PER_S = 40
LEFT, PANEL, LANE = 110, 150, 22
EVERY = 5  # ms between two points of a line
TRUE, TOLD, FAINT, DOT = "#0072b2", "#d55e00", "#dddddd", "#999999"
LANES = tuple(key for key in KEYS if key != "fault_turn")


def draw(group: Group, seed: int) -> str:
    """The picture of a case, detected and judged."""
    item = case(group, seed)
    ((_, signals, samples),) = performed([item])
    judged = judge(signals, item.true_profile)
    events, _ = reported(detect(samples, item.given_profile).events)
    return drawing(f"{item.name} {item.strata}", judged, samples, events, Thresholds.of(item.true_profile))


def drawing(
    title: str,
    judged: Judged,
    samples: Samples,
    events: list[Reported],
    th: Thresholds,
    lanes: Sequence[str] = LANES,
) -> str:
    """True events are blue (pale if not required), reported ones orange."""
    f = judged.nominal.filtered
    end_s = float(f.t_s[-1])
    width = LEFT + round(end_s * PIXELS_PER_S) + 20
    parts: list[str] = []
    y = 30
    place = ~np.isnan(samples.position_m)
    pull = ~np.isnan(samples.force_n)
    g, rest_m = STANDARD_GRAVITY_M_S2, th.rest_m
    load_n = np.broadcast_to(np.asarray(th.load_n), f.t_s.shape)
    relative = samples.force_n[pull] / np.interp(samples.t_s[pull], f.t_s, load_n)
    panels: list[tuple[str, Floats, float, list[float], tuple[Floats, Floats] | None]] = [
        ("x m", f.x_m, 1.0, [0.0, th.bottom_x_m, th.top_x_m], (samples.t_s[place], samples.position_m[place] - rest_m)),
        ("v m/s", f.v_m_s, 1.0, [0.0, th.rest_m_s, -th.rest_m_s], None),
        ("a/g", f.a_m_s2, g, [0.0, th.jerk_m_s2 / g, -th.jerk_m_s2 / g], None),
        ("T/W", f.tension_n / load_n, 1.0, [0.0, 0.5, 1.0], (samples.t_s[pull], relative)),
        ("w'", judged.nominal.relative, 1.0, [1 - th.band, 1.0, 1 + th.band], None),
    ]
    for name, column, unit, lines, dots in panels:
        parts.append(_panel(y, width, name, f.t_s, column / unit, lines, dots))
        y += PANEL + 10
    for lane, key in enumerate(lanes):
        top = y + lane * LANE
        parts.append(f'<text x="4" y="{top + 14}">{key}</text>')
        parts.append(f'<line x1="{LEFT}" x2="{width}" y1="{top + LANE}" y2="{top + LANE}" stroke="{FAINT}"/>')
        for event, required in zip(judged.nominal.events, judged.required, strict=True):
            if event.kind == key:
                shown = {k: v for k, v in event.own.items() if k != "bounds_s"}
                opacity = 1.0 if required else 0.4
                parts.append(_bar(event.t_s, event.duration_s, top + 1, TRUE, opacity, f"true {key} {shown}"))
        for event_found in events:
            if event_found.kind == key:
                hint = f"reported {key} at {event_found.t_s:.3f}, found {event_found.found_s:.3f}: {event_found.own}"
                parts.append(_bar(event_found.t_s, event_found.duration_s, top + 11, TOLD, 1.0, hint))
    height = y + len(lanes) * LANE + 30
    for second in range(0, int(end_s) + 1):
        x = _x(second)
        parts.append(f'<line x1="{x}" x2="{x}" y1="24" y2="{height - 20}" stroke="{FAINT}" stroke-width="0.5"/>')
        if second % 5 == 0:
            parts.append(f'<text x="{x}" y="20">{second} s</text>')
    title = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif"'
        f' font-size="11"><rect width="100%" height="100%" fill="white"/><title>{title}</title>'
        f'<text x="4" y="{height - 6}">{title}</text>{"".join(parts)}</svg>\n'
    )


def _x(t_s: float) -> float:
    return round(LEFT + t_s * PIXELS_PER_S, 1)


def _panel(
    top: int,
    width: int,
    name: str,
    t_s: Floats,
    column: Floats,
    lines: list[float],
    dots: tuple[Floats, Floats] | None,
) -> str:
    low, high = min(float(np.min(column)), *lines), max(float(np.max(column)), *lines)

    def height(value: float) -> float:
        return round(top + PANEL * (high - value) / max(high - low, 1e-9), 1)

    parts = [f'<text x="4" y="{top + 12}">{escape(name)}</text>']
    for line in lines:
        parts.append(f'<line x1="{LEFT}" x2="{width}" y1="{height(line)}" y2="{height(line)}" stroke="{FAINT}"/>')
        parts.append(f'<text x="60" y="{height(line) + 4}">{line:.3f}</text>')
    if dots is not None:
        rows = range(0, len(dots[0]), max(1, len(dots[0]) // 6000))
        path = "".join(f"M{_x(float(dots[0][i]))} {height(float(dots[1][i]))}h1" for i in rows)
        parts.append(f'<path d="{path}" stroke="{DOT}" fill="none"/>')
    points = " ".join(f"{_x(float(t_s[i]))},{height(float(column[i]))}" for i in range(0, len(t_s), EVERY))
    parts.append(f'<polyline points="{points}" fill="none" stroke="{TRUE}" stroke-width="1"/>')
    return "".join(parts)


def _bar(t_s: float, duration_s: float | None, top: float, colour: str, opacity: float, hint: str) -> str:
    length = max(3.0, (duration_s or 0.0) * PIXELS_PER_S)
    return (
        f'<rect x="{_x(t_s)}" y="{top}" width="{length:.1f}" height="9" fill="{colour}" opacity="{opacity}">'
        f"<title>{escape(hint)}</title></rect>"
    )
