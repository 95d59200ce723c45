// The floor: every machine at once, a tile each.

import { symbol } from "../shared/js/icons.js";
import { get } from "./api.js";
import { arrange } from "./arrange.js";
import { figures, floorState, follow, inOrder, keyOf, nameOf } from "./floor_state.js";
import { count, load, seconds, time } from "./format.js";
import { make, write } from "./make.js";

const PERIOD_MS = 1000;
const ICONS = {
  free: "ready",
  ready: "choose",
  lifting: "positive",
  resting: "rest",
  ended: "in",
  silent: "stale",
  offline: "offline",
  fault: "fault",
};

export async function showFloor(box, { me, signal }) {
  const tiles = new Map();
  let machines = [];
  const busy = make("p.quiet", { id: "floor-count" });
  const order = make("button", { id: "arrange", hidden: true, "aria-haspopup": "dialog" }, "Names and order");
  const trouble = make("ul.troubles", { role: "status", hidden: true, "aria-label": "What is wrong" });
  const list = make("ul.tiles", { "aria-label": "Machines" });
  const empty = make(
    "p.notice",
    { hidden: true },
    "No machine has been seen yet. A machine appears here by itself when its daemon reaches the gym's broker.",
  );
  order.addEventListener("click", () => arrange(machines));
  box.append(make("div.head", {}, make("h1", {}, "Floor"), busy, order), trouble, empty, list);

  async function refresh() {
    const floor = await get("/api/floor");
    if (signal.aborted) return;
    machines = inOrder(floor.machines);
    order.hidden = me.role !== "trainer" || machines.length === 0;
    empty.hidden = machines.length > 0;
    writeList(trouble, floor.trouble);
    const keys = machines.map(keyOf);
    for (const key of [...tiles.keys()].filter((known) => !keys.includes(known))) tiles.delete(key);
    for (const machine of machines) {
      const key = keyOf(machine);
      if (!tiles.has(key)) tiles.set(key, new Tile(me.role === "trainer"));
      tiles.get(key).draw(machine, floor.now_unix_s);
    }
    const wanted = keys.map((key) => tiles.get(key).element);
    if (wanted.some((element, at) => list.children[at] !== element) || list.children.length !== wanted.length)
      list.replaceChildren(...wanted);
    const lifting = wanted.filter(({ dataset }) => ["lifting", "resting"].includes(dataset.state)).length;
    write(busy, machines.length ? `${count(machines.length, "machine")}, ${lifting} in use` : "");
  }
  return { refresh, period_ms: PERIOD_MS };
}

/** One machine; drawn in place, so that nothing flickers and the focus stays. */
class Tile {
  #last = null; // the newest set that this screen has seen here

  constructor(mayOpen) {
    this.mayOpen = mayOpen;
    this.name = make("span", {});
    this.link = make("a", {});
    this.heading = make("h2", {}, this.name);
    this.who = make("p.who", {});
    this.icon = symbol("ready");
    this.word = make("span", {});
    this.since = make("p.since", {});
    this.trouble = make("p.trouble", {});
    this.figures = ["Rep", "Under load", "Load"].map((label) => [label, make("dd", {})]);
    this.element = make(
      "li.tile",
      {},
      this.heading,
      make("p.word", {}, this.icon, this.word),
      make("div.whose", {}, this.who, this.since),
      make("dl.figures", {}, ...this.figures.map(([label, dd]) => make("div", {}, make("dt", {}, label), dd))),
      this.trouble,
    );
  }

  draw(machine, now_s) {
    this.#last = follow(this.#last, machine, now_s);
    const now = floorState(machine, this.#last, now_s);
    const shown = figures(machine, this.#last, now);
    if (this.element.dataset.state !== now.state) this.element.dataset.state = now.state;
    const icon = `#i-${ICONS[now.state]}`;
    if (this.icon.firstChild.getAttribute("href") !== icon) this.icon.firstChild.setAttribute("href", icon);
    write(this.word, now.word);
    write(this.since, now.since_s === null ? "" : `since ${time(now.since_s)}`);
    write(this.name, nameOf(machine));
    write(this.who, machine.client_name ?? "");
    write(this.trouble, machine.trouble ?? "");
    const values = shown ? [String(shown.rep), seconds(shown.under_load_s), load(shown.load_n)] : ["", "", ""];
    for (const [at, [, dd]] of this.figures.entries()) write(dd, values[at]);
    this.#open(machine);
  }

  /** A tap leads a trainer to the client who is there. */
  #open({ client_id }) {
    const href = this.mayOpen && client_id ? `#/clients/${encodeURIComponent(client_id)}` : null;
    if (href === null) return this.name.parentElement === this.heading || this.heading.replaceChildren(this.name);
    if (this.link.getAttribute("href") !== href) this.link.setAttribute("href", href);
    if (this.link.parentElement) return;
    this.link.append(this.name);
    this.heading.replaceChildren(this.link);
  }
}

function writeList(list, sentences) {
  list.hidden = sentences.length === 0;
  if ([...list.children].map((line) => line.textContent).join("\n") === sentences.join("\n")) return;
  list.replaceChildren(...sentences.map((sentence) => make("li", {}, symbol("fault"), sentence)));
}
