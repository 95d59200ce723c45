// Skill and strength over sets, two lines that are never made one; the other door to uPlot.

const INK = { skill: "#6fb9e8", strength: "#f3f6f8", quiet: "#a7b4c0", line: "#26313b" };
const FONT = '13px system-ui, "DejaVu Sans", sans-serif';

export class Trend {
  #plot = null;

  constructor(box) {
    this.box = box;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(box);
  }

  draw(sets) {
    const known = sets.filter((set) => set.skill !== null && set.strength_n !== null);
    this.box.parentElement.hidden = known.length < 2; // one point is no trend
    if (known.length < 2) return;
    const data = [known.map((_, at) => at), known.map((set) => 100 * set.skill), known.map((set) => set.strength_n / 9.80665)];
    this.#plot ??= new uPlot(this.#options(), data, this.box);
    this.#plot.setData(data);
  }

  #size() {
    return { width: Math.max(200, this.box.clientWidth), height: Math.max(120, this.box.clientHeight) };
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
      padding: [8, 4, 10, 0],
      scales: { x: { time: false }, skill: { range: [0, 100] }, kg: { range: (_, least, most) => [0.9 * least, 1.1 * most] } },
      series: [
        {},
        { scale: "skill", stroke: INK.skill, width: 2, points: dots(INK.skill, 7) },
        { scale: "kg", stroke: INK.strength, width: 2, dash: [7, 5], points: dots(INK.strength, 5) },
      ],
      axes: [{ show: false }, axis("skill", "%", 3), axis("kg", " kg", 1)],
    };
  }
}
