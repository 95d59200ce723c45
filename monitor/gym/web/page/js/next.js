// Shows where the client goes: the seat big, the load, and in words what the machine answered.

import { nameOf } from "./floor_state.js";
import { load } from "./format.js";
import { make } from "./make.js";

const COMMANDS = { lifter: "Who lifts", load: "Load", protocol: "Protocol" };

/** `sent` is the answer of /api/next, or null until it comes; `refused` is the reason if the request has failed. */
export function drawNext(box, machine, sent, refused) {
  const mood = refused || sent?.answers.some(({ ok }) => !ok) ? "bad" : sent ? "good" : "waiting";
  box.dataset.mood = mood;
  const facts = [
    ["Seat", sent ? sent.seat || "not set" : "…"],
    ["Load", sent ? loadThere(machine, sent.load_n) : "…"],
    ["Protocol", sent ? (sent.protocol ?? "the machine's own") : "…"],
  ];
  const said = refused ? [make("li", {}, refused)] : (sent?.answers ?? []).map(answer);
  const figures = facts.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value)));
  box.replaceChildren(
    make("h2", {}, nameOf(machine)),
    ...(refused ? [] : [make("dl", {}, figures)]),
    make("ul.answers", {}, sent || refused ? said : make("li", {}, "Asking the machine…")),
  );
}

/** A static machine has no load: its target is a share of a peak. */
function loadThere({ kind }, load_n) {
  if (kind === "static") return "none";
  return load_n === null ? "learned" : load(load_n);
}

function answer({ command, ok, detail }) {
  const name = COMMANDS[command] ?? command;
  const words = ok ? "set" : `not set: ${detail || "the machine refused it, and gave no reason"}`;
  return make("li", { "data-ok": String(ok) }, make("b", {}, `${ok ? "✓" : "✗"} ${name}`), ` ${words}`);
}
