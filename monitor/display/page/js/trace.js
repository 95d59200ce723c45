// Draws the last 60 seconds of tension and position, with the events; one of two users of uPlot.

import { axis, FONT, INK, options, undrawn, xAxis } from "./chart_options.js";
import { isListed, rowOf } from "./kinds.js";
import { Strip } from "./strip.js";
import { inUnit, kilograms, unitName } from "./units.js";

export const WINDOW_S = 60;
const KEPT_S = 75; // a little more than the window; old samples are removed in batches
const GAP_S = 0.3; // a longer silence makes a hole in the line: nothing is interpolated
const LATE = 1.5; // in intervals of feedback: a machine at rest publishes less often
const LIVE_HZ = 25;
const TONE_INK = { leak: "#e69f00", rough: "#f08a3c", blind: "#f08a3c" };
const TENSION = [
  { stroke: INK.fg, scale: "y", width: 2 },
  { stroke: "#6b7a88", scale: "kg", width: 1 },
];
const POSITION = [
  { stroke: INK.fg, scale: "y", width: 2 },
  { stroke: INK.pace, scale: "y", width: 1.5, dash_s: 0.4 },
];

export class Trace {
  #columns = [[], [], [], [], []]; // t_s, tension %, force in kg or lb, position %, pace %
  #plots;
  #strips = [new Strip(), new Strip()]; // of the plots
  #band = [0.9, 1.1];
  #events = [];
  #named;
  #hz = LIVE_HZ; // how often the last feedback came

  /** `named(record)` returns the name of an event. */
  constructor(tension, position, named) {
    this.#named = named;
    this.#plots = [
      new uPlot(this.#tensionOptions(), [[], [], []], tension),
      new uPlot(this.#positionOptions(), [[], [], []], position),
    ];
    const follow = new ResizeObserver(() => this.resize());
    for (const box of [tension, position]) follow.observe(box);
    this.boxes = [tension, position];
  }

  add(feedback) {
    const times = this.#columns[0];
    const last_s = times.at(-1);
    if (feedback.t_s === last_s) return;
    const hz = feedback.feedback_hz ?? LIVE_HZ;
    const gap_s = Math.max(GAP_S, LATE / Math.min(hz, this.#hz));
    this.#hz = hz;
    if (feedback.t_s < last_s) this.clear();
    else if (feedback.t_s - last_s > gap_s) this.#push([last_s + GAP_S / 2, null, null, null, null]);
    const { t_s, tension, tension_n, position, pace } = feedback;
    this.#push([
      t_s,
      tension === null ? null : 100 * tension,
      tension_n === null ? null : inUnit(kilograms(tension_n)),
      percent(position),
      percent(pace),
    ]);
    if (times[0] < t_s - KEPT_S) {
      const old = times.findIndex((time) => time >= t_s - WINDOW_S - 1);
      for (const column of this.#columns) column.splice(0, old);
    }
  }

  /** Puts feedback of the same session, oldest first, before what has come live. */
  precede(older) {
    const live = this.#columns.map((column) => column.splice(0));
    const [first_s = Infinity] = live[0];
    for (const feedback of older) if (feedback.t_s < first_s) this.add(feedback);
    for (const [at, column] of this.#columns.entries()) column.push(...live[at]);
    for (const strip of this.#strips) strip.forget();
  }

  /** What is drawn: t_s, tension, force, position, pace. */
  get columns() {
    return this.#columns;
  }

  clear() {
    for (const column of this.#columns) column.length = 0;
    for (const strip of this.#strips) strip.forget();
  }

  draw(recent, half) {
    const [times, tension, force, position, pace] = this.#columns;
    if (!times.length) return;
    this.#band = [100 * (1 - half), 100 * (1 + half)];
    const now_s = times.at(-1);
    this.#events = recent
      .filter(
        ({ record }) =>
          record.t_s > now_s - WINDOW_S &&
          (record.kind === "rep" || (isListed(record) && !record.kind.startsWith("set_"))),
      )
      .map(({ record }) => record);
    const window = { min: now_s - WINDOW_S, max: now_s };
    for (const [plot, data] of [
      [this.#plots[0], [times, tension, force]],
      [this.#plots[1], [times, position, pace]],
    ]) {
      plot.batch(() => {
        plot.setData(data, false);
        plot.setScale("x", window);
      });
    }
  }

  resize() {
    this.#plots.forEach((plot, at) => {
      const { clientWidth: width, clientHeight: height } = this.boxes[at];
      if (width && height && (width !== plot.width || height !== plot.height)) plot.setSize({ width, height });
    });
  }

  #push(row) {
    for (const [at, value] of row.entries()) this.#columns[at].push(value);
  }

  #tensionOptions() {
    return options({
      scales: {
        x: { time: false },
        y: { range: [40, 160] },
        kg: { range: (_, __, most) => [0, Math.max(20, 10 * Math.ceil((most ?? 0) / 8))] }, // seldom another
      },
      series: [{}, ...TENSION.map(undrawn)],
      axes: [
        xAxis(false),
        { ...axis("y", "%"), splits: () => [50, 75, 100, 125, 150] },
        { ...axis("kg", ` ${unitName()}`), side: 1, grid: { show: false } },
      ],
      hooks: { drawClear: [(plot) => this.#shadeBand(plot)], draw: [(plot) => this.#drawLines(plot, 0)] },
    });
  }

  #positionOptions() {
    return options({
      scales: { x: { time: false }, y: { range: [-4, 104] }, kg: { range: [0, 1] } },
      series: [{}, ...POSITION.map(undrawn)],
      axes: [
        xAxis(true),
        { ...axis("y", "%"), splits: () => [0, 50, 100] },
        { ...axis("kg", ""), side: 1, grid: { show: false }, values: () => [] },
      ],
      hooks: { draw: [(plot) => this.#drawLines(plot, 1)] },
    });
  }

  #drawLines(plot, at) {
    const [times, ...columns] = plot.data;
    const lines = [TENSION, POSITION][at].map((line, column) => ({ ...line, values: columns[column] }));
    this.#strips[at].draw(plot, times, lines);
    this.#markEvents(plot, at === 0);
  }

  #shadeBand(plot) {
    const { ctx, bbox } = plot;
    const [low, high] = this.#band.map((value) => plot.valToPos(value, "y", true));
    ctx.fillStyle = "rgb(0 114 178 / .38)";
    ctx.fillRect(bbox.left, high, bbox.width, low - high);
  }

  /** Draws each event as a line at its start and an area as long as it lasted; then names, where there is room. */
  #markEvents(plot, named) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    const events = [...this.#events].reverse();
    const place = (time_s) => plot.valToPos(time_s, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const record of events) {
      const x = place(markedAt(record));
      ctx.fillStyle = ink(record);
      ctx.globalAlpha = 0.25;
      if (record.kind !== "rep")
        ctx.fillRect(x, bbox.top, place(record.t_s + (record.duration_s ?? 0)) - x, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(x, bbox.top, (record.kind === "rep" ? 1 : 2) * scale, bbox.height);
    }
    if (named) this.#nameEvents(ctx, bbox, events, place, scale);
    ctx.restore();
  }

  #nameEvents(ctx, bbox, events, place, scale) {
    ctx.font = FONT.replace("13px", `${13 * scale}px`);
    ctx.textBaseline = "top";
    ctx.textAlign = "left"; // also on a page that reads from right to left
    const taken = new Array(ROWS + 1).fill(-Infinity); // the x where each row of names ends; the last row is for reps
    for (const record of events) {
      const name = this.#named(record);
      const { width } = ctx.measureText(name);
      const x = Math.min(place(markedAt(record)) + 5 * scale, bbox.left + bbox.width - width); // inside, also at "now"
      const row = record.kind === "rep" ? ROWS : taken.findIndex((until, at) => at < ROWS && until < x);
      if (row < 0 || taken[row] >= x) continue;
      taken[row] = x + width + 9 * scale;
      ctx.fillStyle = record.kind === "rep" ? INK.quiet : ink(record);
      ctx.fillText(name, x, row === ROWS ? bbox.top + bbox.height - 18 * scale : bbox.top + (3 + 17 * row) * scale);
    }
  }
}

const ROWS = 4; // of names
function ink(record) {
  return record.kind === "rep" ? INK.rep : (TONE_INK[rowOf(record).tone] ?? INK.quiet);
}

/** Where an event is marked: a repetition at its end. */
function markedAt(record) {
  return record.kind === "rep" ? record.t_s + record.duration_s : record.t_s;
}

function percent(share) {
  return share === null ? null : 100 * share;
}
