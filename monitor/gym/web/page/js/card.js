// The client's card, as gyms keep it on paper: a row a machine, a column a visit, 16 visits a sheet; it can be printed.

import { asQuery, clientPath, get, put } from "./api.js";
import { ask } from "./dialog.js";
import { date, load, loadNumber, loadUnit, shortDay } from "./format.js";
import { make, redraw } from "./make.js";
import { inOrderOfQuestions } from "./poll.js";

const PERIOD_MS = 10_000;
const COLUMNS = 16;
const WIDE = "(min-width: 621px)";
const ARROWS = { up: "↑", same: "=", down: "↓" };

/** The address may end with the number of the sheet; 0 has the newest visits. */
export async function showCard(box, { client, address, signal }, [wanted = "0"]) {
  const path = clientPath(client.client_id);
  let shown = null;
  const newQuestion = inOrderOfQuestions();

  async function refresh() {
    const isLate = newQuestion();
    const card = await get(`${path}/card${asQuery({ sheet: Number(wanted) || 0 })}`);
    const text = JSON.stringify(card);
    if (signal.aborted || isLate() || text === shown) return;
    shown = text;
    const left = box.querySelector(".sheet")?.scrollLeft ?? null;
    redraw(box, head(card), legend(), sheet(card, take));
    show(box.querySelector(".sheet"), left);
  }

  function head({ sheet, sheets, visits_began_unix_s: began }) {
    const go = (to, text, word) =>
      to >= 0 && to < sheets
        ? make("a.button", { id: word, href: `${address}/card/${to}` }, text)
        : make("button", { id: word, disabled: true }, text);
    const period = began.length ? `${date(began[0])} to ${date(began.at(-1))}` : "no visit yet";
    return make(
      "div.head.sheets",
      {},
      make(
        "h2",
        {},
        make("span.printed", {}, `${client.name} · `),
        `Sheet ${Math.max(1, sheets - sheet)} of ${Math.max(1, sheets)}`,
      ),
      make("p.quiet", {}, period),
      make(
        "div.tools",
        {},
        go(sheet + 1, "Previous", "earlier"),
        go(sheet - 1, "Next", "later"),
        make("button", { id: "print", onclick: () => print() }, "Print"),
      ),
    );
  }

  async function take({ site, machine, label, setting, suggestion }) {
    try {
      await put(`${path}/settings`, { ...setting, site, machine, next_load_n: suggestion.load_n });
    } catch (error) {
      return ask({ title: `${label}: the load was not kept`, body: make("p", {}, error.message), close: "Close" });
    }
    shown = null;
    await refresh();
  }
  return { refresh, period_ms: PERIOD_MS };
}

/** Scrolls as far as before; at first to the newest visit, where the next loads stay in sight. */
function show(scroller, left) {
  const end = [...scroller.querySelectorAll("thead .visited")].at(-1);
  scroller.scrollLeft =
    left ?? (end && matchMedia(WIDE).matches ? end.offsetLeft + end.offsetWidth - scroller.clientWidth : 0);
}

function legend() {
  return make(
    "p.legend.quiet",
    {},
    `Above: load in ${loadUnit()}. Below: seconds under load. `,
    make("b.failed", {}, "F"),
    " to failure. Small number: the order of the machines.",
  );
}

function sheet({ visits_began_unix_s: began, rows, client }, take) {
  const empty = Array.from({ length: COLUMNS - began.length }, () => null);
  const days = began.map((unix_s) => make("th.visited", { scope: "col" }, shortDay(unix_s)));
  const free = empty.map(() => make("td.blank"));
  if (!rows.length) return make("p.notice.sheet", {}, "No machine has been seen yet.");
  return make(
    "div.sheet",
    { tabindex: "0", role: "group", "aria-label": `Card of ${client.name}` },
    make(
      "table.card",
      {},
      make("caption.unseen", {}, `Card of ${client.name}`),
      make(
        "thead",
        {},
        make("tr", {}, make("th", { scope: "col" }, "Machine"), make("th", { scope: "col" }, "Next load"), days, free),
      ),
      make(
        "tbody",
        {},
        rows.map((row) => line(row, empty, take)),
      ),
    ),
  );
}

function line(row, empty, take) {
  const { label, setting, cells } = row;
  const facts = [
    setting.seat && `seat ${setting.seat}`,
    `${setting.window_low_s} to ${setting.window_high_s} s`,
    setting.protocol,
  ];
  return make(
    "tr",
    {},
    make(
      "th",
      { scope: "row" },
      make("b", {}, label || row.machine),
      make("small", {}, facts.filter(Boolean).join(" · ")),
    ),
    make("td.advice", {}, advice(row, take)),
    cells.map((cell) => make("td.cell", {}, cell && visit(cell))),
    empty.map(() => make("td.blank")),
  );
}

/** The load that was chosen, the suggested one with its reason, and the button that takes it. */
function advice(row, take) {
  const { site, machine, label, setting, suggestion } = row;
  const { load_n, change, reason } = suggestion;
  const differs =
    load_n !== null && (setting.next_load_n === null || loadNumber(load_n) !== loadNumber(setting.next_load_n));
  const chosen = setting.next_load_n === null ? make("span.quiet", {}, "open") : load(setting.next_load_n);
  const button = make(
    "button.take",
    { id: `take-${site}/${machine}`, onclick: () => take(row) },
    `Take ${ARROWS[change] ?? ""} ${load(load_n)}`,
    make("span.unseen", {}, ` as the next load for ${label || machine}`),
  );
  return [make("div.choose", {}, make("p.chosen", {}, chosen), differs && button), make("p.reason", {}, reason)];
}

function visit({ load_n, under_load_s, failure, order }) {
  const hidden = { "aria-hidden": "true" };
  const ending = failure ? ", to failure" : "";
  const words = `${load(load_n)}, ${Math.round(under_load_s)} s under load${ending}, machine ${order}`;
  return [
    make("span.unseen", {}, words),
    make("span.order", hidden, String(order)),
    make("b.load", hidden, loadNumber(load_n) || "–"),
    failure ? make("b.failed", hidden, "F") : make("span", hidden),
    make("span.lasted", hidden, String(Math.round(under_load_s))),
  ];
}
