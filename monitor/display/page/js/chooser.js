// The chooser: sends tempo, load and lifter of the next set to the machine.

import { chooserDialog } from "./chooser_form.js";
import { element } from "./parts.js";
import { loadPermissions } from "./permissions.js";
import { protocolName, TEMPOS } from "./protocol.js";
import { fromUnit, inUnit, kilograms, newtons, unitName, weight } from "./units.js";

const LEAST_KG = 3;
const MOST_KG = 2000;
const UNCERTAIN_KG = 40; // the first proposal when nothing is known
const STEPS = [-5, -1, 1, 5];
const FOLLOW_MS = 250;
const LIFTER = /^[A-Za-z0-9_-]{1,64}$/;

/** Adds the chooser to the page; a click on `opener` opens it. */
export function setUpChooser({ opener, page }) {
  const { link, model, words } = page;
  const dialog = chooserDialog(words);
  const form = dialog.querySelector("form");
  const inputs = form.elements;
  const answer = dialog.querySelector("#choose-answer");
  const steps = dialog.querySelector("#choose-steps");
  let may = new Set();
  let load_kg = UNCERTAIN_KG;
  let asking = false;
  let touched = false; // the load was changed; before that the shown pin may be only near the real load

  opener.addEventListener("click", async () => {
    begin();
    dialog.showModal();
    may = await loadPermissions();
    allow();
  });
  setInterval(() => dialog.open && !asking && allow(), FOLLOW_MS); // a set begins or ends, the machine goes off
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value === "close") return; // the form closes its dialog
    event.preventDefault();
    if (!event.submitter.disabled) ask();
  });
  form.addEventListener("change", ({ target }) => {
    touched ||= target === inputs.learn;
    show();
    report("");
  });

  /** Shows the current choice. */
  function begin() {
    const { protocol, machine } = model.info ?? {};
    const name = protocolName(protocol);
    const tiles = [...(name === null || TEMPOS.includes(name) ? [] : [name]), ...TEMPOS].map((tempo) =>
      tile(tempo, tempo === name),
    );
    dialog.querySelector("#choose-tempos").replaceChildren(...tiles);
    const given_n = machine?.working_load_n ?? null;
    const seen_n = given_n ?? model.feedback?.load_n ?? null;
    load_kg = nearest(seen_n === null ? UNCERTAIN_KG : kilograms(seen_n), pins());
    inputs.learn.checked = given_n === null;
    touched = false;
    steps.replaceChildren(...(pins() ? [-1, 1] : STEPS).map(step));
    inputs.lifter.value = "";
    may = new Set();
    allow();
    show();
    report("");
  }

  const pins = () => model.info?.machine?.plates_kg ?? null;

  function step(size) {
    const sign = size < 0 ? "−" : "+";
    const button = element("button", "", pins() ? sign : `${sign}${Math.abs(size)}`);
    button.type = "button";
    button.setAttribute(
      "aria-label",
      words.text(size < 0 ? "choose.less" : "choose.more", pins() ? "" : `${Math.abs(size)} ${unitName()}`).trim(),
    );
    button.addEventListener("click", () => {
      load_kg = pins()
        ? neighbour(load_kg, pins(), size)
        : Math.min(MOST_KG, Math.max(LEAST_KG, load_kg + fromUnit(size)));
      inputs.learn.checked = false;
      touched = true;
      show();
      report("");
    });
    return button;
  }

  function show() {
    dialog.querySelector("#choose-kg").textContent = inputs.learn.checked
      ? words.text("choose.learned")
      : weight(load_kg, 1);
  }

  /** Disables what is not allowed, and says why. */
  function allow() {
    const inSet = (model.feedback?.set ?? null) !== null;
    const here = model.up && model.status?.state === "online";
    const still = model.info?.machine?.kind === "static";
    const open = here && !inSet;
    const permit = (name) => open && may.has(name);
    dialog.querySelector("#choose-tempo").hidden = still;
    dialog.querySelector("#choose-load").hidden = still;
    for (const [id, name] of [
      ["#choose-tempo", "protocol"],
      ["#choose-load", "load"],
      ["#choose-lifter", "lifter"],
    ]) {
      dialog.querySelector(id).disabled = !permit(name);
    }
    inputs.use.disabled = !["protocol", "load", "lifter"].some(permit);
    const why = !here ? "choose.off" : inSet ? "choose.in_set" : inputs.use.disabled ? "choose.read_only" : null;
    dialog.querySelector("#choose-why").textContent = why ? words.text(why) : "";
  }

  function report(text, mood = "") {
    answer.textContent = text;
    answer.dataset.mood = mood;
  }

  /** The commands for what differs from the current choice, as [name, fields]. */
  function wanted() {
    const { protocol, machine } = model.info;
    const asked = [];
    const tempo = inputs.tempo?.value;
    const lifter = inputs.lifter.value.trim();
    if (lifter && may.has("lifter")) asked.push(["lifter", { lifter }]);
    if (tempo && tempo !== protocolName(protocol) && may.has("protocol")) asked.push(["protocol", { name: tempo }]);
    const given_kg = machine.working_load_n === null ? null : kilograms(machine.working_load_n);
    const load = inputs.learn.checked ? null : load_kg;
    const same = load === null || given_kg === null ? load === given_kg : Math.abs(load - given_kg) < 0.5;
    if (touched && !same && machine.kind !== "static" && may.has("load"))
      asked.push(["load", { load_n: load === null ? null : round(newtons(load)) }]);
    return asked;
  }

  async function ask() {
    const lifter = inputs.lifter.value.trim();
    if (lifter && !LIFTER.test(lifter)) return report(words.text("choose.lifter_letters"), "bad");
    asking = true;
    inputs.use.disabled = true;
    report(words.text("choose.asked"));
    const ack = await firstRefused(wanted());
    asking = false;
    allow();
    if (ack === undefined) return report(words.text("choose.taken"), "good");
    report(ack === null ? words.text("choose.silent") : refusal(ack), "bad");
  }

  /** Sends the commands one by one; returns the first refusal, null if the machine did not answer. */
  async function firstRefused(commands) {
    for (const [name, fields] of commands) {
      const ack = await new Promise((answered) => link.command(name, fields, answered));
      if (!ack?.ok) return ack;
    }
    return undefined;
  }

  function refusal(ack) {
    const key = `refused.${ack.error}`;
    return words.text("choose.refused", words.has(key) ? words.text(key) : (ack.detail ?? ack.error));
  }
}

function tile(tempo, checked) {
  const input = element("input");
  Object.assign(input, { type: "radio", name: "tempo", value: tempo, checked });
  return element("label", "tile", "", [input, element("span", "", tempo)]);
}

function nearest(kg, pins) {
  if (!pins) return fromUnit(Math.round(inUnit(kg)));
  return pins.reduce((best, pin) => (Math.abs(pin - kg) < Math.abs(best - kg) ? pin : best));
}

/** The next pin below or above; the last one stays. */
function neighbour(kg, pins, direction) {
  const sorted = [...pins].sort((one, other) => one - other);
  return (direction < 0 ? sorted.reverse().find((pin) => pin < kg) : sorted.find((pin) => pin > kg)) ?? kg;
}

const round = (force_n) => Math.round(10 * force_n) / 10;

/** The choice for the next set, in short: 5/5 · 82 kg */
export function agreed(now, words) {
  return [now.protocol, now.given_kg === null ? words.text("choose.learned") : weight(now.given_kg)]
    .filter(Boolean)
    .join(" · ");
}
