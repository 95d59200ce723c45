// Draws visits: a table each, a row a machine, with the mark for failure and the note.

import { asQuery, clientPath, patch } from "./api.js";
import { ask, field } from "./dialog.js";
import { count, load, loadUnit, pause, percent, seconds, time } from "./format.js";
import { make } from "./make.js";

const MOST_NOTE = 1000;
const COLUMNS = ["Machine", "Seat", "Load", "Under load", "Under tension", "Skill", "Outcome", "Pause before"];

/** `again()` is called after a change. A screen that only watches gets no buttons. */
export function visitCard(visit, { mayChange, again, linked = true }) {
  const { client_id, name, began_unix_s, ended_unix_s, sets } = visit;
  const who = name ?? (client_id === null ? "Nobody named" : "A client without consent");
  const known = mayChange && name !== null;
  const title = known && linked ? make("a", { href: `#/clients/${encodeURIComponent(client_id)}` }, who) : who;
  const handout = `${clientPath(client_id ?? "")}/handout${asQuery({ began_unix_s, units: loadUnit() })}`;
  return make(
    "article.visit",
    { "aria-label": `${who}, ${time(began_unix_s)}` },
    make(
      "div.head",
      {},
      make("h2", {}, title),
      make("p.quiet", {}, `${time(began_unix_s)} to ${time(ended_unix_s)}, ${count(sets.length, "set")}`),
      known && make("a.button", { href: handout, target: "_blank", rel: "noopener" }, "Handout"),
    ),
    make(
      "table.sets",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          COLUMNS.map((name) => make("th", { scope: "col" }, name)),
        ),
      ),
      make(
        "tbody",
        {},
        sets.map((set) => row(set, mayChange, again)),
      ),
    ),
  );
}

function row(set, mayChange, again) {
  const name = set.label || set.machine;
  const id = idOf(set);
  const details = () => setDialog(set, again);
  const opener = mayChange
    ? make("button.plain", { id: `details-${id}`, "aria-haspopup": "dialog", onclick: details }, name)
    : name;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, opener, set.note && make("small.note", {}, set.note)),
    make("td", {}, set.seat || "–"),
    make("td.main", {}, load(set.load_n)),
    make("td.main", {}, seconds(set.under_load_s)),
    make("td", {}, seconds(set.under_tension_s)),
    make("td", {}, percent(set.skill)),
    make("td", {}, outcome(set, mayChange, again)),
    make("td", {}, pause(set.pause_before_s)),
  );
}

/** The outcome; for a trainer a switch that marks failure. */
function outcome(set, mayChange, again) {
  const words = outcomeWords(set);
  if (!mayChange) return set.failure ? make("span.failure", {}, words) : words;
  const mark = async ({ currentTarget }) => {
    currentTarget.disabled = true;
    try {
      await markSet(set, !set.failure, set.note);
    } catch (error) {
      return ask({
        title: "The mark was not saved",
        body: make("p", {}, error.message),
        close: "Close",
        closed: again,
      });
    }
    again();
  };
  const change = `, mark ${set.label || set.machine} as ${set.failure ? "ended before failure" : "to failure"}`;
  const facts = { id: `mark-${idOf(set)}`, "data-failure": set.failure, onclick: mark };
  return make("button.mark", facts, words, make("span.unseen", {}, change));
}

function outcomeWords({ failure, marked_failure }) {
  return `${failure ? "to failure" : "ended"}${marked_failure === null ? "" : " *"}`;
}

const idOf = ({ site, machine, store_id, seq }) => `${site}/${machine}/${store_id}/${seq}`;

function markSet({ site, machine, store_id, seq }, marked_failure, note) {
  return patch("/api/sets", { site, machine, store_id, seq, marked_failure, note });
}

/** Everything about one set, its note, and whether the mark is by hand. */
function setDialog(set, again) {
  const facts = [
    ["Ended", time(set.ended_unix_s)],
    ["Load", load(set.load_n)],
    ["Seat", set.seat || "–"],
    ["Time under load", seconds(set.under_load_s)],
    ["Time under tension", seconds(set.under_tension_s)],
    ["Skill", percent(set.skill)],
    ["Repetitions", repetitions(set)],
    ["Pause before", pause(set.pause_before_s)],
  ];
  const choices = [
    ["", `as detected: ${set.outcome === "failure" ? "to failure" : "ended before failure"}`],
    ["true", "to failure"],
    ["false", "ended before failure"],
  ];
  const chosen = String(set.marked_failure ?? "");
  const options = choices.map(([value, text]) => make("option", { value, selected: value === chosen }, text));
  const body = [
    make(
      "dl.facts",
      {},
      facts.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value))),
    ),
    field("Outcome", make("select", { name: "failure" }, options)),
    field("Note", make("textarea", { name: "note", rows: 3, maxlength: MOST_NOTE }, set.note ?? "")),
  ];
  const send = async ({ elements }) => {
    const { value } = elements.failure;
    await markSet(set, value === "" ? null : value === "true", elements.note.value.trim() || null);
    again();
  };
  ask({ title: set.label || set.machine, body, action: "Save", send });
}

function repetitions({ reps, partial_reps, clean_reps }) {
  const more = [partial_reps > 0 && `${partial_reps} partial`, clean_reps !== null && `${clean_reps} clean`];
  return [String(reps), ...more.filter(Boolean)].join(", ");
}
