// The timeline: tension, position, and one lane for each group of events.

const LEAST_S = 0.4; // shorter stretches show nothing more
const PHONE_PX = 560;
const AXIS = 24;
// sizes in pixels; `alone`: of the tension where there is no position
const LOOKS = {
  phone: { left: 38, tension: 170, alone: 170, position: 110, lane: 40, sign: 13, ticks: 4, narrow: true },
  screen: { left: 132, tension: 210, alone: 300, position: 140, lane: 26, sign: 13, ticks: 9, narrow: false },
  paper: { left: 112, tension: 120, alone: 210, position: 84, lane: 19, sign: 9, ticks: 9, narrow: false },
};
const SPIKE_S = 0.05; // a reading beside a spike may still be part of it
const TONES = ["good", "plain", "blind", "leak", "rough"];

class Timeline {
  constructor(box, data, curves) {
    Object.assign(this, { box, data, curves });
    this.length_s = Math.max(data.length_s, 1);
    this.view = { from_s: 0, until_s: this.length_s };
    this.marks = data.marks.map((record) => new Mark(record));
    this.byId = new Map(this.marks.map((mark) => [mark.record.id, mark]));
    this.lanes = Object.entries(data.lanes);
    this.svg = svg("svg", { class: "plot" });
    this.under = svg("g", { "aria-hidden": "true" });
    this.over = svg("g");
    this.spot = svg("rect", { class: "spot out" });
    // faults lie above other marks, and parts of other events below
    const height = ({ record }) => TONES.indexOf(record.tone) - (record.part_of ? TONES.length : 0);
    for (const mark of [...this.marks].sort((one, other) => height(one) - height(other))) this.over.append(mark.group);
    this.brush = svg("rect", { class: "brush", y: 0, width: 0 });
    this.hair = svg("line", { class: "hair out", y1: 0 });
    this.readout = svg("text", { class: "readout", "text-anchor": "end", y: 14 });
    this.svg.append(
      svg("defs", {}, svg("clipPath", { id: "inside" }, svg("rect"))),
      this.under,
      this.spot,
      this.over,
      this.hair,
      this.brush,
      this.readout,
    );
    box.append(this.svg);
    this.listeners = [];
    this.waiting = 0;
    this.marks[0]?.group.setAttribute("tabindex", 0);
  }

  get span_s() {
    return this.view.until_s - this.view.from_s;
  }

  /** Shows a stretch of time, within the session. */
  look(from_s, until_s) {
    const span = Math.min(Math.max(until_s - from_s, LEAST_S), this.length_s);
    const middle = (from_s + until_s) / 2;
    const start = Math.min(Math.max(middle - span / 2, 0), this.length_s - span);
    this.view = { from_s: start, until_s: start + span };
    this.waiting ||= requestAnimationFrame(() => this.draw()); // a wheel turns faster than frames are drawn
  }

  zoom(factor, around_s = (this.view.from_s + this.view.until_s) / 2) {
    const { from_s, until_s } = this.view;
    const span = Math.min(Math.max((until_s - from_s) * factor, LEAST_S), this.length_s);
    const share = (around_s - from_s) / (until_s - from_s);
    this.look(around_s - share * span, around_s + (1 - share) * span);
  }

  pan(share) {
    const by = share * this.span_s;
    this.look(this.view.from_s + by, this.view.until_s + by);
  }

  all() {
    this.look(0, this.length_s);
  }

  get isWhole() {
    return this.span_s > this.length_s - 1e-6;
  }

  time(x) {
    return this.view.from_s + ((x - this.left) / (this.right - this.left)) * this.span_s;
  }

  /** `width` and `look` are given for print; otherwise they follow from the box. */
  draw(width = this.box.clientWidth, look = width < PHONE_PX ? LOOKS.phone : LOOKS.screen) {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    if (!width) return;
    const { lane, narrow } = look;
    this.left = look.left;
    this.right = width - 10;
    const moves = Boolean(this.curves.position);
    const tall = moves ? look.tension : look.alone;
    const rows = [{ top: 22, height: tall }];
    if (moves) rows.push({ top: 22 + tall + 34, height: look.position });
    const lanesTop = rows.at(-1).top + rows.at(-1).height + 16;
    this.bottom = lanesTop + lane * this.lanes.length;
    this.height = this.bottom + AXIS;
    set(this.svg, { width, height: this.height });
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    set(this.svg.querySelector("#inside rect"), {
      x: this.left,
      y: 0,
      width: this.right - this.left,
      height: this.height,
    });
    const x = scale(this.view.from_s, this.view.until_s, this.left, this.right);
    this.x = x;
    const drawn = [this.#grid(x, look.ticks)];
    const wash = svg("g", { "clip-path": "url(#inside)" });
    drawn.push(wash, this.#tension(x, rows[0], narrow));
    if (moves) drawn.push(this.#position(x, rows[1], narrow));
    drawn.push(this.#laneNames(lanesTop, lane, narrow, width));
    const names = this.lanes.map(([name]) => name);
    this.plotsEnd = rows.at(-1).top + rows.at(-1).height;
    for (const mark of this.marks) {
      const middle = lanesTop + lane * names.indexOf(mark.record.lane) + lane - look.sign;
      if (mark.place(x, middle, this.left, this.right)) this.#wash(wash, mark);
    }
    this.under.replaceChildren(...drawn);
    set(this.hair, { y2: this.bottom });
    set(this.brush, { height: this.bottom });
    this.over.setAttribute("clip-path", "url(#inside)");
    for (const listener of this.listeners) listener();
  }

  /** Vertical lines for the time, through all plots. */
  #grid(x, most) {
    const group = svg("g", { class: "grid" });
    for (const [t_s, name] of timeTicks(this.view.from_s, this.view.until_s, most)) {
      const at = x(t_s).toFixed(1);
      group.append(
        svg("line", { x1: at, x2: at, y1: 22, y2: this.bottom }),
        svg("text", { x: at, y: this.bottom + 17, "text-anchor": "middle" }, name),
      );
    }
    return group;
  }

  #tension(x, { top, height }, narrow) {
    const { force, tension } = this.curves;
    const { from_s, until_s } = this.view;
    const bands = this.data.stretches;
    const spikes = this.data.marks.filter(({ shape }) => shape === "spike");
    const doubted = spikes.map(({ t_s, lasts_s }) => [t_s - SPIKE_S, t_s + lasts_s + SPIKE_S]);
    const highest = Math.max(
      10,
      ...bands.map(({ load, band }) => load * (1 + 2.5 * band)),
      force?.mostOutside(doubted) ?? force?.most?.[1] ?? 0,
      tension?.most?.[1] ?? 0,
    );
    const linear = scale(0, 1.05 * highest, top + height, top);
    const y = (weight) => Math.max(top, linear(weight)); // a spike is cut off at the top
    const group = this.#plot(`Tension, ${this.data.weight_unit}`, y, 0, 1.05 * highest, { top, height }, narrow);
    const inside = svg("g", { "clip-path": "url(#inside)" });
    for (const { from_s: start, until_s: end, load, band } of bands) {
      const high = y(load * (1 + band));
      inside.append(
        svg("rect", {
          class: "band",
          x: x(start),
          width: Math.max(0, x(end) - x(start)),
          y: high,
          height: y(load * (1 - band)) - high,
        }),
        svg("line", { class: "target", x1: x(start), x2: x(end), y1: y(load), y2: y(load) }),
      );
    }
    if (force)
      inside.append(svg("path", { class: tension ? "curve measured" : "curve", d: force.path(from_s, until_s, x, y) }));
    if (tension) inside.append(svg("path", { class: "curve", d: tension.path(from_s, until_s, x, y) }));
    group.append(inside);
    return group;
  }

  #position(x, { top, height }, narrow) {
    const { position, pace } = this.curves;
    const { from_s, until_s } = this.view;
    const { bottom_m, top_m } = this.data.tempo;
    const [lowest, highest] = position.most;
    const low = Math.min(0, lowest, 100 * bottom_m),
      high = Math.max(highest, 100 * top_m);
    const room = 0.06 * (high - low || 1);
    const y = scale(low - room, high + room, top + height, top);
    const group = this.#plot("Position, cm", y, low, high + room, { top, height }, narrow);
    const inside = svg("g", { "clip-path": "url(#inside)" });
    for (const end of [bottom_m, top_m])
      inside.append(svg("line", { class: "limit", x1: this.left, x2: this.right, y1: y(100 * end), y2: y(100 * end) }));
    if (pace) inside.append(svg("path", { class: "pace", d: pace.path(from_s, until_s, x, y) }));
    inside.append(svg("path", { class: "curve", d: position.path(from_s, until_s, x, y) }));
    group.append(inside);
    return group;
  }

  #plot(name, y, low, high, { top, height }, narrow) {
    const group = svg(
      "g",
      { class: "grid" },
      svg("text", { class: "name", x: narrow ? 0 : this.left, y: top - 8 }, name),
    );
    for (const value of ticks(low, high, height / 46)) {
      const at = y(value).toFixed(1);
      group.append(
        svg("line", { x1: this.left, x2: this.right, y1: at, y2: at }),
        svg("text", { x: this.left - 7, y: at, dy: "0.35em", "text-anchor": "end" }, value),
      );
    }
    return group;
  }

  #laneNames(top, lane, narrow, width) {
    const group = svg("g", { class: "lanes" });
    this.lanes.forEach(([, words], at) => {
      const y = top + lane * at;
      group.append(svg("line", { x1: 0, x2: width, y1: y, y2: y }));
      group.append(
        narrow ? svg("text", { x: 0, y: y + 14 }, words) : svg("text", { x: 0, y: y + lane / 2, dy: "0.35em" }, words),
      );
    });
    group.append(svg("line", { x1: 0, x2: width, y1: this.bottom, y2: this.bottom }));
    return group;
  }

  /** Tints the background of the curves where tension leaked. */
  #wash(group, { record, at }) {
    if (record.part_of || !["rough", "leak", "blind"].includes(record.tone)) return;
    group.append(svg("rect", { class: `wash tone-${record.tone}`, ...this.#stretch(at) }));
  }

  /** Highlights the stretch of one mark in the curves. */
  light(mark) {
    this.spot.classList.toggle("out", mark === null);
    if (mark) set(this.spot, this.#stretch(mark.at));
  }

  #stretch({ from, until }) {
    return { x: from, y: 22, width: Math.max(2, until - from), height: this.plotsEnd - 22 };
  }
}
