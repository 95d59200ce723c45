// Controls the timeline with pointer, wheel, touch and keyboard.

const ROOM_S = 3; // around an event that is shown
const SCROLLING_MS = 350; // while the page scrolls, the wheel does not zoom

class Controls {
  #drag = null;
  #fingers = new Map();
  #scrolled_ms = -Infinity;

  constructor(timeline, tip) {
    Object.assign(this, { timeline, tip });
    const { svg, box } = timeline;
    addEventListener("scroll", () => (this.#scrolled_ms = performance.now()), { passive: true });
    svg.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (event) => this.#up(event));
    svg.addEventListener("pointerleave", () => this.#leave());
    svg.addEventListener("dblclick", () => timeline.all());
    box.addEventListener("keydown", (event) => this.#key(event));
    for (const mark of timeline.marks) {
      mark.group.addEventListener("pointerenter", () => this.point(mark));
      mark.group.addEventListener("pointerleave", () => this.unpoint());
      mark.group.addEventListener("focus", () => this.point(mark));
      mark.group.addEventListener("blur", () => this.unpoint());
    }
    timeline.listeners.push(() => this.pointed && this.#follow());
  }

  point(mark) {
    this.unpoint();
    this.pointed = mark;
    mark.group.classList.add("pointed");
    this.timeline.light(mark);
    this.tip.show(mark);
  }

  unpoint() {
    this.pointed?.group.classList.remove("pointed");
    this.timeline.light(null);
    this.pointed = null;
    this.tip.hide();
  }

  /** Focuses a mark and brings it into view. */
  focus(mark) {
    const { t_s, lasts_s = 0 } = mark.record;
    const { from_s, until_s } = this.timeline.view;
    if (t_s < from_s || t_s + lasts_s > until_s) {
      const half = Math.max(this.timeline.span_s, lasts_s) / 2;
      this.timeline.look(t_s + lasts_s / 2 - half, t_s + lasts_s / 2 + half);
    }
    if (this.timeline.waiting) this.timeline.draw(); // a mark must be drawn to be focused
    for (const other of this.timeline.over.querySelectorAll('[tabindex="0"]')) other.setAttribute("tabindex", -1);
    mark.group.setAttribute("tabindex", 0);
    mark.group.focus();
  }

  #follow() {
    const mark = this.pointed;
    if (mark.group.classList.contains("out")) this.unpoint();
    else this.point(mark);
  }

  #wheel(event) {
    const away = event.deltaY > 0;
    if (performance.now() - this.#scrolled_ms < SCROLLING_MS || (away && this.timeline.isWhole)) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.timeline.pan(event.deltaX / 800);
    else
      this.timeline.zoom(2 ** (Math.max(-240, Math.min(240, event.deltaY)) / 240), this.timeline.time(event.offsetX));
  }

  #down(event) {
    this.#fingers.set(event.pointerId, event.offsetX);
    if (event.pointerType === "mouse" && event.button === 0)
      this.#drag = { from: event.offsetX, select: !event.shiftKey, id: event.pointerId };
    else if (event.pointerType !== "mouse") this.#drag = { from: event.offsetX, select: false, id: event.pointerId };
  }

  #move(event) {
    const x = event.offsetX;
    const before = this.#fingers.get(event.pointerId);
    if (before !== undefined) this.#fingers.set(event.pointerId, x);
    if (this.#fingers.size === 2) this.#pinch(event.pointerId, before, x);
    else if (this.#drag?.select) this.#brush(x);
    else if (this.#drag) this.#pull(x);
    else this.#read(x);
  }

  #brush(x) {
    const { from, id } = this.#drag;
    if (Math.abs(x - from) < 4) return;
    if (!this.timeline.svg.hasPointerCapture(id)) this.timeline.svg.setPointerCapture(id);
    set(this.timeline.brush, { x: Math.min(x, from), width: Math.abs(x - from) });
  }

  #pull(x) {
    const { timeline } = this;
    timeline.pan((this.#drag.from - x) / (timeline.right - timeline.left));
    this.#drag.from = x;
  }

  #pinch(id, before, now) {
    const other = [...this.#fingers].find(([key]) => key !== id)[1];
    const [then, since] = [Math.abs(before - other), Math.abs(now - other)];
    if (then > 10 && since > 10) this.timeline.zoom(then / since, this.timeline.time((now + other) / 2));
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    const drag = this.#drag;
    this.#drag = null;
    set(this.timeline.brush, { width: 0 });
    if (drag?.select && event.type === "pointerup" && Math.abs(event.offsetX - drag.from) > 8) {
      const [from_s, until_s] = [drag.from, event.offsetX]
        .map((x) => this.timeline.time(x))
        .sort((one, other) => one - other);
      this.timeline.look(from_s, until_s);
    }
  }

  #leave() {
    this.timeline.hair.classList.add("out");
    this.timeline.readout.textContent = "";
  }

  /** Shows the values under the pointer. */
  #read(x) {
    const { timeline } = this;
    if (x < timeline.left || x > timeline.right) return this.#leave();
    const t_s = timeline.time(x);
    const values = [clock(t_s, true)];
    const force = timeline.curves.tension?.at(t_s) ?? timeline.curves.force?.at(t_s) ?? null;
    const position = timeline.curves.position?.at(t_s) ?? null;
    if (force !== null) values.push(`${force.toFixed(0)} ${timeline.data.weight_unit}`);
    if (position !== null) values.push(`${position.toFixed(1)} cm`);
    timeline.hair.classList.remove("out");
    set(timeline.hair, { x1: x, x2: x });
    set(timeline.readout, { x: timeline.right });
    timeline.readout.textContent = values.join("   ");
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { timeline } = this;
    const at = timeline.marks.findIndex((mark) => mark.group === document.activeElement);
    const to = (index) =>
      timeline.marks.length && this.focus(timeline.marks[Math.max(0, Math.min(index, timeline.marks.length - 1))]);
    const around = at < 0 ? undefined : timeline.marks[at].record.t_s;
    const acts = {
      ArrowRight: () => (event.shiftKey ? timeline.pan(0.25) : to(at + 1)),
      ArrowLeft: () => (event.shiftKey ? timeline.pan(-0.25) : to(at - 1)),
      Home: () => to(0),
      End: () => to(timeline.marks.length - 1),
      "+": () => timeline.zoom(0.5, around),
      "=": () => timeline.zoom(0.5, around),
      "-": () => timeline.zoom(2, around),
      0: () => timeline.all(),
      Escape: () => {
        this.unpoint();
        timeline.all();
      },
      Enter: () => at >= 0 && show(timeline, timeline.marks[at].record),
    };
    if (!(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  }
}

/** Shows an event with a little time around it. */
function show(timeline, { t_s, lasts_s = 0 }) {
  timeline.look(t_s - ROOM_S, t_s + lasts_s + ROOM_S);
}
