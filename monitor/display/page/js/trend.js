// Skill and strength by day of training, as two charts that are never combined; one of two users of uPlot.

import { withLatinDigits } from "./direction.js";
import { inUnit, kilograms, unitName } from "./units.js";

const INK = { quiet: "#a7b4c0", line: "#26313b" };
const FONT = '13px system-ui, "DejaVu Sans", sans-serif';

/** The two charts, in the order of the page's boxes. */
const LINES = [
  {
    value: (day) => 100 * day.skill,
    ink: "#6fb9e8",
    unit: () => "%",
    range: () => [0, 100],
    splits: () => [0, 50, 100],
  },
  {
    value: (day) => inUnit(kilograms(day.strength_n)),
    ink: "#f3f6f8",
    unit: () => ` ${unitName()}`,
    range: (_, least, most) => [0.9 * least, 1.1 * most],
    splits: ({ data }) => [...new Set([Math.min(...data[1]), Math.max(...data[1])])],
  },
];

export class Trend {
  #plots = [];
  #names = []; // of the days
  #language;

  /** `skill` and `strength` are elements inside `box`, which is hidden while there is no trend. */
  constructor(box, skill, strength, language) {
    this.box = box;
    this.boxes = [skill, strength];
    this.#language = language;
    const follow = new ResizeObserver(() => {
      for (const [at, plot] of this.#plots.entries()) plot.setSize(size(this.boxes[at]));
    });
    for (const one of this.boxes) follow.observe(one);
  }

  draw(days) {
    this.box.hidden = days.length < 2; // one day is not a trend
    if (days.length < 2) return;
    this.#names = days.map(({ at }) => (at === null ? "" : dayName(at, this.#language)));
    LINES.forEach((line, at) => {
      const data = [days.map((_, day) => day), days.map(line.value)];
      this.#plots[at] ??= new uPlot(
        this.#options(line, size(this.boxes[at]), at === LINES.length - 1),
        data,
        this.boxes[at],
      );
      this.#plots[at].setData(data);
    });
  }

  #options({ ink, unit, range, splits }, { width, height }, last) {
    const axis = { stroke: INK.quiet, font: FONT, ticks: { show: false } };
    return {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 26, 0, 0],
      scales: { x: { time: false }, y: { range } },
      series: [{}, { stroke: ink, width: 2, points: { show: true, size: 7, fill: ink, stroke: ink } }],
      axes: [
        {
          ...axis,
          size: last ? 24 : 4,
          gap: 4,
          grid: { show: false },
          splits: () => [0, this.#names.length - 1],
          values: (_, splits) => splits.map((day) => (last ? this.#names[day] : "")),
        },
        {
          ...axis,
          size: 58,
          gap: 6,
          grid: { stroke: INK.line, width: 1 },
          splits,
          values: (_, at) => at.map((value) => `${Math.round(value)}${unit()}`),
        },
      ],
    };
  }
}

function size(box) {
  return { width: Math.max(200, box.clientWidth), height: Math.max(60, box.clientHeight) };
}

/** 23 Nov */
export function dayName(utc, language) {
  return new Date(utc).toLocaleDateString(withLatinDigits(language), { day: "numeric", month: "short" });
}
