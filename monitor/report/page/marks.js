// Draws the mark of each event; its shape shows its tone without colour.

const SIGNS = {
  rough: "M0 -6 L6 5 H-6 Z", // a triangle
  leak: "M-4.5 -4.5 H4.5 V4.5 H-4.5 Z", // a square
  good: "M-4.5 0 A4.5 4.5 0 1 0 4.5 0 A4.5 4.5 0 1 0 -4.5 0 Z", // a ring
  plain: "M-3 0 A3 3 0 1 0 3 0 A3 3 0 1 0 -3 0 Z", // a dot
  blind: "M-5 -5 L5 5 M5 -5 L-5 5", // a cross
  bounce: "M0 6 L6 -4 H-6 Z M-6 7 H6", // a triangle upside down, on a floor
  set_start: "M-4 6 V-6 L5 -2.5 L-4 1", // a flag
  set_end: "M-4 6 V-6 H5 V1 H-4", // a square flag
  failure: "M0 -7 L7 0 L0 7 L-7 0 Z", // a diamond
};

/** One event as a group that can be pointed at and focused. */
class Mark {
  constructor(record) {
    this.record = record;
    this.tail = svg("rect", {
      class: "tail",
      height: record.kind === "rep" || record.kind === "stage" ? 16 : 8,
      rx: 2,
    });
    this.hit = svg("rect", { class: "hit", height: 22 });
    this.group = svg(
      "g",
      {
        class: `mark kind-${record.kind} tone-${record.tone} shape-${record.shape}${record.part_of ? " part" : ""}`,
        "data-id": record.id,
        "data-kind": record.kind,
        tabindex: -1,
        role: "button",
        "aria-label": [record.name, record.when, record.what, record.why, record.remedy].filter(Boolean).join(". "),
      },
      this.hit,
      this.tail,
    );
    this.label = null;
    if (record.label) {
      this.label = svg("text", { class: "rep-label", "text-anchor": "middle", dy: "0.35em" }, record.label);
      this.group.append(this.label);
    } else {
      this.sign = svg("path", { class: "sign", d: SIGNS[record.shape] ?? SIGNS[record.tone] });
      this.group.append(this.sign);
    }
  }

  /** Moves the mark; returns whether any of it is visible. */
  place(x, middle, left, right) {
    const { t_s, lasts_s = 0, kind } = this.record;
    const start = x(t_s),
      end = Math.max(x(t_s + lasts_s), start);
    const shown = end >= left && start <= right;
    this.group.classList.toggle("out", !shown);
    if (!shown) return false;
    const from = Math.max(start, left - 20),
      until = Math.min(end, right + 20);
    const wide = kind === "rep" || kind === "stage";
    const half = wide ? 8 : 4;
    set(this.tail, { x: from, y: middle - half, width: Math.max(wide ? 2 : 0, until - from - (wide ? 1 : 0)) });
    set(this.hit, { x: from - 7, y: middle - 11, width: until - from + 14 });
    this.sign?.setAttribute(
      "transform",
      `translate(${start.toFixed(1)} ${middle})${this.record.part_of ? " scale(.72)" : ""}`,
    );
    if (this.label) {
      set(this.label, { x: (from + until) / 2, y: middle });
      this.label.classList.toggle("out", until - from < 9 * this.record.label.length + 4);
    }
    this.at = { from, until: Math.max(until, from + 1), middle };
    return true;
  }
}

function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes))
    element.setAttribute(key, typeof value === "number" ? value.toFixed(1) : value);
}
