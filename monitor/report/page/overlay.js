// Draws the repetitions of a set over each other, from their first movement, on top of the agreed tempo.

const ROWS_PX = { screen: [170, 120], paper: [96, 72] }; // position and tension

class Overlay {
  constructor(box, reps, data, curves) {
    Object.assign(this, { box, reps, data, curves });
    this.svg = svg("svg", {
      class: "plot",
      role: "img",
      "aria-label": `${reps.length} repetitions laid over each other from their first movement: position and tension`,
    });
    box.append(this.svg);
  }

  /** `width` and `heights` are given for print. */
  draw(width = this.box.clientWidth, heights = ROWS_PX.screen) {
    if (!width) return;
    const left = 38,
      right = width - 8;
    const { up_s, down_s, bottom_m, top_m, starts_up } = this.data.tempo;
    const longest_s = Math.max(up_s + down_s, ...this.reps.map((rep) => rep.until_s - rep.from_s));
    const x = scale(0, longest_s, left, right);
    const rows = [
      { top: 20, height: heights[0] },
      { top: 20 + heights[0] + 34, height: heights[1] },
    ];
    const bottom = rows[1].top + rows[1].height;
    set(this.svg, { width, height: bottom + 24 });
    this.svg.setAttribute("viewBox", `0 0 ${width} ${bottom + 24}`);
    const axis = svg("g", { class: "grid" });
    for (const t_s of ticks(0, longest_s, width < 420 ? 5 : 8)) {
      const at = x(t_s).toFixed(1);
      axis.append(
        svg("line", { x1: at, x2: at, y1: 20, y2: bottom }),
        svg("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, `${t_s} s`),
      );
    }
    const ends = this.#extent("position", [100 * bottom_m, 100 * top_m]);
    const room = 0.06 * (ends[1] - ends[0] || 1);
    const cm = scale(ends[0] - room, ends[1] + room, rows[0].top + rows[0].height, rows[0].top);
    const first = starts_up ? [bottom_m, top_m, bottom_m] : [top_m, bottom_m, top_m];
    const times = starts_up ? [0, up_s, up_s + down_s] : [0, down_s, up_s + down_s];
    const agreed = svg("path", {
      class: "pace",
      d: `M${times.map((t_s, at) => `${x(t_s).toFixed(1)} ${cm(100 * first[at]).toFixed(1)}`).join("L")}`,
    });
    const source =
      this.curves.tension && this.reps.some((rep) => this.curves.tension.extent(rep.from_s, rep.until_s))
        ? "tension"
        : "force";
    const most = Math.max(10, this.#extent(source, [0, 0])[1]);
    const weight = scale(0, 1.08 * most, rows[1].top + rows[1].height, rows[1].top);
    const load = this.data.stretches.find(({ from_s, until_s }) =>
      this.reps.some((rep) => rep.from_s < until_s && rep.until_s > from_s),
    );
    const target = load
      ? [
          svg("rect", {
            class: "band",
            x: left,
            width: right - left,
            y: weight(load.load * (1 + load.band)),
            height: weight(load.load * (1 - load.band)) - weight(load.load * (1 + load.band)),
          }),
        ]
      : [];
    this.svg.replaceChildren(
      axis,
      this.#scale("Position, cm", cm, ends[0], ends[1] + room, rows[0], left, right),
      this.#scale(`Tension, ${this.data.weight_unit}`, weight, 0, 1.08 * most, rows[1], left, right),
      ...target,
      agreed,
      ...this.reps.flatMap((rep, at) => {
        const shift = (t_s) => x(t_s - rep.from_s);
        const age = Math.min(5, Math.floor((6 * at) / this.reps.length));
        const look = `rep-line age-${age}${rep.partial ? " partial" : ""}`;
        const paths = [
          ["position", cm],
          [source, weight],
        ].filter(([name]) => this.curves[name]);
        return paths.map(([name, y]) => {
          const line = svg(
            "path",
            { class: look, "data-rep": rep.rep, d: this.curves[name].path(rep.from_s, rep.until_s, shift, y) },
            svg("title", {}, `Repetition ${rep.rep}${rep.partial ? ", partial" : ""}`),
          );
          line.addEventListener("pointerenter", () => this.point(rep.rep));
          line.addEventListener("pointerleave", () => this.point(null));
          return line;
        });
      }),
    );
  }

  /** Highlights one repetition, here and in the table. */
  point(number) {
    this.svg.classList.toggle("one", number !== null);
    for (const line of this.svg.querySelectorAll(".rep-line"))
      line.classList.toggle("pointed", line.dataset.rep === String(number));
    const { set: own } = this.box.dataset;
    for (const row of document.querySelectorAll(`tr[data-set="${own}"]`))
      row.classList.toggle("pointed", row.dataset.rep === String(number));
  }

  #extent(name, [low, high]) {
    for (const { from_s, until_s } of this.reps) {
      const found = this.curves[name]?.extent(from_s, until_s);
      if (found) [low, high] = [Math.min(low, found[0]), Math.max(high, found[1])];
    }
    return [low, high];
  }

  #scale(name, y, low, high, { top, height }, left, right) {
    const group = svg("g", { class: "grid" }, svg("text", { class: "name", x: left, y: top - 7 }, name));
    for (const value of ticks(low, high, height / 44)) {
      const at = y(value).toFixed(1);
      group.append(
        svg("line", { x1: left, x2: right, y1: at, y2: at }),
        svg("text", { x: left - 7, y: at, dy: "0.35em", "text-anchor": "end" }, value),
      );
    }
    return group;
  }
}
