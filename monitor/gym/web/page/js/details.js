// The settings of one client: name, consent, note; seat, window, protocol and next load at each machine; forgetting.

import { TEMPOS } from "../shared/js/protocol.js";
import { clientPath, get, patch, put } from "./api.js";
import { clientFields, clientOf } from "./client_fields.js";
import { inOrder, keyOf, nameOf } from "./floor_state.js";
import { forgetDialog } from "./forget.js";
import { loadNumber, loadTyped, loadUnit } from "./format.js";
import { make } from "./make.js";

const DEFAULTS = { seat: "", window_low_s: 60, window_high_s: 90, protocol: null, next_load_n: null, note: "" };
const MOST_SEAT = 100;
const MOST_NOTE = 1000;
const IDLE_MS = 3_600_000; // a form that a person fills in is not drawn again

export async function showDetails(box, { client, changed }) {
  const path = clientPath(client.client_id);
  const [floor, settings] = await Promise.all([get("/api/floor"), get(`${path}/settings`)]);
  const known = new Map(settings.map((one) => [keyOf(one), one]));
  const machines = inOrder(floor.machines);
  const person = saving(clientFields(client), "form.person", async ({ elements }) =>
    changed(await patch(path, clientOf(elements))),
  );
  const forms = machines.map((machine) =>
    machineForm(machine, known.get(keyOf(machine)) ?? DEFAULTS, `${path}/settings`),
  );
  const forget = make(
    "button.danger",
    { id: "forget", "aria-haspopup": "dialog", onclick: () => forgetDialog(client, machines) },
    `Forget ${client.name}…`,
  );
  box.append(
    make("section", { "aria-label": "Person" }, make("h2", {}, "Person"), person),
    make(
      "section",
      { "aria-label": "Machines" },
      make("h2", {}, "Machines"),
      forms.length ? forms : make("p.notice", {}, "No machine has been seen yet."),
    ),
    make(
      "section.forget",
      { "aria-label": "Forget" },
      make("h2", {}, "Forget"),
      make("p.quiet", {}, "Removes this person here and on every machine, for good."),
      forget,
    ),
  );
  return { refresh: async () => {}, period_ms: IDLE_MS };
}

function machineForm(machine, setting, path) {
  const label = `${nameOf(machine)}: `;
  const input = (name, title, value, more = {}) =>
    make(
      "label",
      {},
      make("span", {}, title),
      make("input", { name, value, "aria-label": label + title, autocomplete: "off", type: "text", ...more }),
    );
  const time = { type: "number", min: 1, max: 3600, step: "any", required: true, inputmode: "decimal" };
  const tempos = [...new Set([...(setting.protocol ? [setting.protocol] : []), ...TEMPOS])];
  const protocol = make(
    "select",
    { name: "protocol", "aria-label": `${label}protocol` },
    make("option", { value: "" }, "the machine's own"),
    tempos.map((tempo) => make("option", { value: tempo, selected: tempo === setting.protocol }, tempo)),
  );
  const typed = loadNumber(setting.next_load_n);
  const fields = [
    input("seat", "Seat", setting.seat, { maxlength: MOST_SEAT }),
    input("window_low_s", "Window from, s", setting.window_low_s, time),
    input("window_high_s", "Window to, s", setting.window_high_s, time),
    make("label", {}, make("span", {}, "Protocol"), protocol),
    input("next_load", `Next load, ${loadUnit()}`, typed, {
      type: "number",
      min: 0,
      step: "any",
      inputmode: "decimal",
    }),
    input("note", "Note", setting.note, { maxlength: MOST_NOTE }),
  ];
  return saving(
    [make("h3", {}, nameOf(machine)), make("div.fields", {}, fields)],
    "form.setting",
    async ({ elements }) => {
      const same = elements.next_load.value === typed; // a rounded number would change the load
      await put(path, {
        site: machine.site,
        machine: machine.machine,
        seat: elements.seat.value.trim(),
        window_low_s: Number(elements.window_low_s.value),
        window_high_s: Number(elements.window_high_s.value),
        protocol: elements.protocol.value || null,
        next_load_n: same ? setting.next_load_n : loadTyped(elements.next_load.value),
        note: elements.note.value.trim(),
      });
    },
  );
}

/** A form whose button is there after a change, and says that it was saved. */
function saving(content, name, save) {
  const button = make("button.strong", { disabled: true }, "Save");
  const answer = make("p.answer", { role: "status" });
  const form = make(name, {}, content, make("div.save", {}, button, answer));
  form.addEventListener("input", () => {
    button.disabled = false;
    answer.textContent = "";
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await save(form);
      answer.textContent = "✓ Saved";
      answer.dataset.mood = "good";
    } catch (error) {
      answer.textContent = error.message;
      answer.dataset.mood = "bad";
      button.disabled = false;
    }
  });
  return form;
}
