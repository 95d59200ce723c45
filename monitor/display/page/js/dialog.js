// The settings dialog: machine, protocol, words, fading, countdown.

import { saveSettings } from "./settings.js";

const PRESETS = ["10/10", "5/5", "4/4", "2/4", "30-30-30"];

/** Wires the dialog; `changed` after a choice that the page can follow without a reload. */
export function setUpDialog({ dialog, opener, page, changed }) {
  const { link, model, words, settings, packs, machine, machines } = page;
  const form = dialog.querySelector("form").elements;
  const answer = dialog.querySelector("#protocol-answer");
  fill(form.machine, machines, machine);
  fill(form.language, Object.keys(packs), words.pack.language, packs);
  form.guidance.value = settings.guidance;
  form.countdown_s.value = String(settings.countdown_s);

  opener.addEventListener("click", () => {
    const name = model.info?.protocol?.name ?? "";
    fill(form.protocol, PRESETS.includes(name) ? PRESETS : [name, ...PRESETS], name);
    form.protocol.disabled = model.status?.state !== "online";
    answer.textContent = "";
    const line = dialog.querySelector("#link-line");
    line.textContent = link.unknown ? words.text("unknown_messages", link.unknown) : "";
    dialog.showModal();
  });

  dialog.addEventListener("change", (event) => {
    const { name, value } = event.target;
    if (name === "protocol") {
      answer.textContent = words.text("protocol.asked");
      link.command("protocol", { name: value }, (ack) => (answer.textContent = protocolAnswer(ack, words)));
      return;
    }
    settings[name] = name === "countdown_s" ? Number(value) : value;
    saveSettings(settings);
    if (name === "machine" || name === "language") {
      location.search = ""; // what was chosen by hand counts more than the address
      location.reload();
    } else changed();
  });
}

function protocolAnswer(ack, words) {
  if (ack === null) return words.text("protocol.silent");
  return ack.ok ? words.text("protocol.ok") : words.text("protocol.refused", ack.detail ?? ack.error);
}

function fill(select, values, chosen, names = {}) {
  const option = (value) => new Option(names[value] ?? (value || "–"), value, value === chosen, value === chosen);
  select.replaceChildren(...values.map(option));
}
