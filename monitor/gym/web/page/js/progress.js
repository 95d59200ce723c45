// Skill and strength over months on one machine: two charts below each other, never one number.

import { inUnit, kilograms, unitName } from "../shared/js/units.js";
import { asQuery, clientPath, get } from "./api.js";
import { field } from "./dialog.js";
import { inOrder, keyOf, nameOf } from "./floor_state.js";
import { count, date, load, month, percent, shortDay } from "./format.js";
import { make } from "./make.js";

const PERIOD_MS = 30_000;
const LEAST = 2; // one visit is no line
const DAY_S = 86_400;
const FONT = '13px system-ui, "DejaVu Sans", sans-serif';

const LINES = [
  {
    title: "Skill",
    about: "share of the judged time that did not leak",
    value: ({ skill }) => (skill === null ? null : 100 * skill),
    words: ({ skill }) => percent(skill),
    ink: "--in-text",
    dash: [],
    unit: () => "%",
    range: () => [0, 100],
  },
  {
    title: "Strength",
    about: "load that was lifted",
    value: ({ strength_n }) => (strength_n === null ? null : inUnit(kilograms(strength_n))),
    words: ({ strength_n }) => load(strength_n),
    ink: "--fg",
    dash: [6, 4],
    unit: unitName,
    range: (_, least, most) => (least === null ? [0, 100] : [Math.max(0, 0.9 * least), 1.1 * most]),
  },
];

/** The address may end with the machine: SITE%2FMACHINE. */
export async function showProgress(box, { client, address, signal }, [wanted = ""]) {
  const { machines } = await get("/api/floor");
  const all = inOrder(machines);
  if (!all.length) {
    box.append(make("p.notice", {}, "No machine has been seen yet."));
    return { refresh: async () => {}, period_ms: PERIOD_MS };
  }
  const machine = all.find((one) => keyOf(one) === wanted) ?? all[0];
  const choice = make(
    "select",
    { id: "machine" },
    all.map((one) => make("option", { value: keyOf(one), selected: one === machine }, nameOf(one))),
  );
  choice.addEventListener("change", () => location.replace(`${address}/progress/${encodeURIComponent(choice.value)}`));
  const figures = LINES.map((line) => new Figure(line));
  const few = make("p.notice", { hidden: true });
  const charts = make(
    "div.charts",
    {},
    figures.map(({ element }) => element),
  );
  box.append(make("form.choice", {}, field("Machine", choice)), few, charts);
  const each = (task) => () => {
    for (const figure of figures) task(figure);
  };
  const follow = new ResizeObserver(each((figure) => figure.resize()));
  follow.observe(charts);
  const scheme = matchMedia("(prefers-color-scheme: light)");
  const repaint = each((figure) => figure.repaint());
  scheme.addEventListener("change", repaint);
  signal.addEventListener("abort", () => {
    follow.disconnect();
    scheme.removeEventListener("change", repaint);
    each((figure) => figure.end())();
  });
  const { site, machine: id } = machine;
  const path = `${clientPath(client.client_id)}/progress${asQuery({ site, machine: id })}`;

  async function refresh() {
    const points = await get(path);
    if (signal.aborted) return;
    few.hidden = points.length >= LEAST;
    charts.hidden = !few.hidden;
    few.textContent = `${count(points.length, "visit")} with a set on ${nameOf(machine)}: lines need two.`;
    if (!charts.hidden) for (const figure of figures) figure.draw(points);
  }
  return { refresh, period_ms: PERIOD_MS };
}

/** One chart with its heading. */
class Figure {
  #plot = null;
  #points = [];

  constructor(line) {
    this.line = line;
    this.now = make("b", {});
    this.plot = make("div.plot", { role: "img" });
    this.element = make(
      "figure",
      {},
      make("figcaption", {}, make("h2", {}, line.title), this.now, make("p.quiet", {}, line.about)),
      this.plot,
    );
  }

  draw(points) {
    this.#points = points;
    const { title, value, words } = this.line;
    const known = points.filter((point) => value(point) !== null);
    const ends = known.length
      ? `from ${[known[0], known.at(-1)].map((one) => `${words(one)} on ${date(one.ended_unix_s)}`).join(" to ")}`
      : "not known";
    this.plot.setAttribute("aria-label", `${title}: ${count(known.length, "visit")}, ${ends}`);
    this.now.textContent = known.length ? words(known.at(-1)) : "–";
    const data = [points.map(({ ended_unix_s }) => ended_unix_s), points.map(value)];
    if (this.#plot) this.#plot.setData(data);
    else this.#plot = new uPlot(this.#options(), data, this.plot);
  }

  resize() {
    this.#plot?.setSize(this.#size());
  }

  repaint() {
    if (!this.#plot) return;
    this.end();
    this.draw(this.#points);
  }

  end() {
    this.#plot?.destroy();
    this.#plot = null;
  }

  #size() {
    return { width: Math.max(200, this.plot.clientWidth), height: Math.max(120, this.plot.clientHeight) };
  }

  #options() {
    const { ink, dash, unit, range } = this.line;
    const paint = (name) => getComputedStyle(this.element).getPropertyValue(name).trim();
    const axis = { stroke: paint("--quiet"), font: FONT, ticks: { show: false } };
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [10, 30, 0, 0],
      scales: { x: { range: (_, least, most) => [least - DAY_S, most + DAY_S] }, y: { range } },
      series: [
        {},
        {
          stroke: paint(ink),
          width: 2,
          dash,
          spanGaps: true,
          points: { show: true, size: 7, fill: paint(ink), stroke: paint(ink) },
        },
      ],
      axes: [
        { ...axis, size: 28, gap: 6, grid: { show: false }, space: 80, values: (_, splits) => days(splits) },
        {
          ...axis,
          size: 64,
          gap: 6,
          grid: { stroke: paint("--line"), width: 1 },
          space: 36,
          values: (_, splits) => splits.map((value) => `${value} ${unit()}`),
        },
      ],
    };
  }
}

/** Days, or months where the ticks are months apart; an equal name is written once. */
function days(splits) {
  const far = splits.length > 1 && splits[1] - splits[0] > 27 * DAY_S;
  const names = splits.map(far ? month : shortDay);
  return names.map((name, at) => (name === names[at - 1] ? "" : name));
}
