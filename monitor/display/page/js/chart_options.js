// Gives uPlot the look of the trainer's charts: inks, axes, series.

export const INK = { fg: "#f3f6f8", quiet: "#a7b4c0", line: "#26313b", rep: "#5d6b78", pace: "#ffd84d" };
export const FONT = '13px system-ui, "DejaVu Sans", sans-serif';

export function options(more) {
  return { width: 300, height: 150, legend: { show: false }, cursor: { show: false }, padding: [6, 4, 0, 0], ...more };
}

/** A series as uPlot knows it: it does not draw the line. */
export function undrawn({ scale }) {
  return { scale, paths: () => null, points: { show: false } };
}

export function axis(scale, unit) {
  return {
    scale,
    stroke: INK.quiet,
    font: FONT,
    size: 58,
    gap: 6,
    grid: { stroke: INK.line, width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map((value) => `${value}${unit}`),
  };
}

export function xAxis(shown) {
  return {
    stroke: INK.quiet,
    font: FONT,
    size: shown ? 28 : 12,
    gap: 6,
    grid: { stroke: INK.line, width: 1 },
    ticks: { show: false },
    splits: (plot) => [0, 1, 2, 3, 4, 5, 6].map((ten) => plot.scales.x.max - 10 * ten),
    values: (plot, splits) =>
      splits.map((_, ten) => (shown && ten && (plot.width > 500 || ten % 2 === 0) ? `−${10 * ten} s` : "")),
  };
}
