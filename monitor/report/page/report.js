// Starts the report page: curves, timeline, overlays, buttons, print layout.

const CM_PER_M = 100;
const PAPER = { timeline: 700, half: 340 }; // CSS pixels of an A4 page and of half a page

function begin() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const curves = Object.fromEntries(
    Object.entries(data.curves).map(([name, packed]) => [name, new Curve(packed, unit(name, data.newtons_per_unit))]),
  );
  const chart = document.getElementById("chart");
  const timeline = new Timeline(chart, data, curves);
  const tip = new Tip(chart);
  const controls = new Controls(timeline, tip);
  const overlays = [...document.querySelectorAll(".overlay")].map((box) => {
    const own = Number(box.dataset.set);
    return new Overlay(
      box,
      data.reps.filter((rep) => rep.set === own),
      data,
      curves,
    );
  });
  const overview = new Overview(document.getElementById("overview"), timeline);
  key(document.getElementById("key"), data, curves);
  for (const note of document.querySelectorAll(".overlay-key"))
    note.textContent =
      "Lines darken from the first repetition to the last; dashed lines are the agreed tempo and partial repetitions.";
  jumps(document.getElementById("jump"), data, timeline);
  buttons(timeline, controls, overlays);

  const draw = () => {
    timeline.draw();
    overview.draw();
    for (const overlay of overlays) overlay.draw();
  };
  for (const overlay of overlays) overlay.box.closest("details")?.addEventListener("toggle", () => overlay.draw());
  let width = document.body.clientWidth;
  new ResizeObserver(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    draw();
  }).observe(document.body);
  let looked = null;
  addEventListener("beforeprint", () => {
    looked = timeline.view;
    controls.unpoint();
    timeline.view = { from_s: 0, until_s: timeline.length_s };
    timeline.draw(PAPER.timeline, LOOKS.paper);
    for (const overlay of overlays) if (overlay.box.clientWidth) overlay.draw(PAPER.half, ROWS_PX.paper);
  });
  addEventListener("afterprint", () => {
    timeline.view = looked ?? timeline.view;
    draw();
  });
  draw();
  globalThis.report = { timeline, data };
}

/** The factor from SI to the unit that is drawn: centimetres, or kg or lb. */
function unit(name, newtons_per_unit) {
  return name === "position" || name === "pace" ? CM_PER_M : 1 / newtons_per_unit;
}

function key(box, data, curves) {
  const lines = [];
  if (curves.tension)
    lines.push(["curve", "tension, without the machine's friction"], ["measured", "as the cell measured it"]);
  else lines.push(["curve", "force, as the cell measured it"]);
  if (data.stretches.length) lines.push(["band", "target band"]);
  if (curves.pace) lines.push(["pace", "agreed tempo"]);
  for (const [tone, words] of [
    ["rough", "rough"],
    ["leak", "tension leaks"],
    ["good", "well done"],
    ["plain", "for the record"],
    ["blind", "sensors in doubt"],
  ]) {
    if (data.marks.some((mark) => mark.tone === tone && mark.kind !== "rep")) lines.push([`sign tone-${tone}`, words]);
  }
  box.replaceChildren(
    ...lines.map(([look, words]) => {
      const item = html("span", "key-item");
      const sign = look.startsWith("sign");
      const sample = svg("svg", {
        class: "sample",
        width: 22,
        height: 14,
        viewBox: sign ? "-11 -7 22 14" : "0 0 22 14",
        "aria-hidden": "true",
      });
      if (look === "band") sample.append(svg("rect", { class: "band", width: 22, height: 14 }));
      else if (sign)
        sample.append(
          svg("g", { class: `mark ${look.slice(5)}` }, svg("path", { class: "sign", d: SIGNS[look.slice(10)] })),
        );
      else sample.append(svg("path", { class: look === "measured" ? "curve measured" : look, d: "M0 7H22" }));
      item.append(sample, words);
      return item;
    }),
  );
  for (const sign of document.querySelectorAll(".found .sign")) {
    const tone = [...sign.classList].find((name) => name.startsWith("tone-"));
    sign.replaceChildren(
      svg(
        "svg",
        { width: 18, height: 18, viewBox: "-9 -9 18 18" },
        svg("g", { class: `mark ${tone}` }, svg("path", { class: "sign", d: SIGNS[tone.slice(5)] })),
      ),
    );
  }
}

function jumps(box, data, timeline) {
  if (data.sets.length < 2) return;
  const choice = html("select");
  choice.setAttribute("aria-label", "Look at a set");
  choice.append(
    new Option("Go to a set", ""),
    ...data.sets.map(({ set: number }) => new Option(`Set ${number}`, number)),
  );
  choice.addEventListener("change", () => {
    const one = data.sets.find(({ set: number }) => String(number) === choice.value);
    choice.value = "";
    if (one) timeline.look(one.from_s - 1, one.until_s + 1);
  });
  box.append(choice);
}

function buttons(timeline, controls, overlays) {
  const acts = {
    in: () => timeline.zoom(0.5),
    out: () => timeline.zoom(2),
    left: () => timeline.pan(-0.5),
    right: () => timeline.pan(0.5),
    all: () => timeline.all(),
  };
  const state = () => {
    for (const button of document.querySelectorAll("[data-do]"))
      button.disabled = timeline.isWhole && button.dataset.do !== "in";
  };
  timeline.listeners.push(state);
  const toChart = () =>
    timeline.box.scrollIntoView({
      block: "nearest",
      behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
    });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const { do: act, zoom, show: id } = button.dataset;
    if (act) acts[act]();
    if (zoom) {
      const [from_s, until_s] = zoom.split(" ").map(Number);
      const room = 0.06 * (until_s - from_s);
      timeline.look(from_s - room, until_s + room);
      toChart();
    }
    if (id) {
      const mark = timeline.byId.get(Number(id));
      show(timeline, mark.record);
      toChart();
      controls.focus(mark);
    }
  });
  for (const row of document.querySelectorAll("tr[data-rep]")) {
    const overlay = overlays.find(({ box }) => box.dataset.set === row.dataset.set);
    for (const [come, number] of [
      ["pointerenter", row.dataset.rep],
      ["focusin", row.dataset.rep],
      ["pointerleave", null],
      ["focusout", null],
    ]) {
      row.addEventListener(come, () => overlay?.point(number));
    }
  }
}

/** A strip with the whole session, and the part of it that the timeline shows. */
class Overview {
  constructor(box, timeline) {
    Object.assign(this, { box, timeline });
    this.svg = svg("svg", { class: "plot" });
    this.window = svg("rect", { class: "window", y: 1, height: 38 });
    this.curve = svg("path", { class: "curve" });
    this.svg.append(this.curve, this.window);
    box.append(this.svg);
    timeline.listeners.push(() => this.#follow());
    const go = (event) => {
      const middle = ((event.offsetX - timeline.left) / (timeline.right - timeline.left)) * timeline.length_s;
      timeline.look(middle - timeline.span_s / 2, middle + timeline.span_s / 2);
    };
    this.svg.addEventListener("pointerdown", (event) => {
      this.svg.setPointerCapture(event.pointerId);
      go(event);
    });
    this.svg.addEventListener("pointermove", (event) => event.buttons && go(event));
  }

  draw() {
    const { timeline } = this;
    set(this.svg, { width: timeline.box.clientWidth, height: 40 });
    const curve = timeline.curves.position ?? timeline.curves.force;
    const [low, high] = curve?.most ?? [0, 1];
    this.x = scale(0, timeline.length_s, timeline.left, timeline.right);
    if (curve) this.curve.setAttribute("d", curve.path(0, timeline.length_s, this.x, scale(low, high, 35, 5)));
    this.#follow();
  }

  #follow() {
    this.box.hidden = this.timeline.isWhole;
    if (!this.x) return;
    const { from_s, until_s } = this.timeline.view;
    set(this.window, { x: this.x(from_s), width: Math.max(2, this.x(until_s) - this.x(from_s)) });
  }
}

begin();
