// Skill and strength over days of training, two lines that are never made one; the other door to uPlot.

const INK = { skill: "#6fb9e8", strength: "#f3f6f8", quiet: "#a7b4c0", line: "#26313b" };
const FONT = '13px system-ui, "DejaVu Sans", sans-serif';

export class Trend {
  #plot = null;
  #names = []; // of the days
  #language;

  constructor(box, language) {
    this.box = box;
    this.#language = language;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(box);
  }

  draw(days) {
    this.box.parentElement.hidden = days.length < 2; // one point is no trend
    if (days.length < 2) return;
    this.#names = days.map(({ at }) => (at === null ? "" : dayName(at, this.#language)));
    const data = [days.map((_, at) => at), days.map(({ skill }) => 100 * skill), days.map(({ strength_n }) => strength_n / 9.80665)];
    this.#plot ??= new uPlot(this.#options(), data, this.box);
    this.#plot.setData(data);
  }

  #size() {
    return { width: Math.max(200, this.box.clientWidth), height: Math.max(100, this.box.clientHeight) };
  }

  #options() {
    const axis = (scale, unit, side) => ({
      scale, side, stroke: INK.quiet, font: FONT, size: 58, gap: 6, ticks: { show: false },
      grid: { show: side === 3, stroke: INK.line, width: 1 },
      values: (_, splits) => splits.map((value) => `${value}${unit}`),
    });
    const dots = (fill, size) => ({ show: true, size, fill, stroke: fill });
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 4, 0, 0],
      scales: { x: { time: false }, skill: { range: [0, 100] }, kg: { range: (_, least, most) => [0.9 * least, 1.1 * most] } },
      series: [
        {},
        { scale: "skill", stroke: INK.skill, width: 2, points: dots(INK.skill, 7) },
        { scale: "kg", stroke: INK.strength, width: 2, dash: [7, 5], points: dots(INK.strength, 5) },
      ],
      axes: [this.#dayAxis(), axis("skill", "%", 3), axis("kg", " kg", 1)],
    };
  }

  /** The first day and the last. */
  #dayAxis() {
    return {
      stroke: INK.quiet, font: FONT, size: 24, gap: 4, ticks: { show: false }, grid: { show: false },
      splits: () => [0, this.#names.length - 1],
      values: (_, splits) => splits.map((at) => this.#names[at]),
    };
  }
}

/** 23 Nov */
export function dayName(utc, language) {
  return new Date(utc).toLocaleDateString(language, { day: "numeric", month: "short" });
}
