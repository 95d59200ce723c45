// The settings dialog of one screen: machine, language, unit, guidance, countdown, voice.

import { saveSettings } from "./settings.js";
import { unitName } from "./units.js";

/** Fills the dialog; calls `changed` after a choice that needs no reload. */
export function setUpDialog({ dialog, opener, page, voice, changed }) {
  const { link, words, settings, packs, machine, machines } = page;
  const form = dialog.querySelector("form").elements;
  fill(form.machine, machines, machine);
  fill(form.language, Object.keys(packs), words.pack.id, packs);
  form.unit.value = unitName();
  form.guidance.value = settings.guidance;
  form.voice.value = settings.voice;
  form.countdown_s.value = String(settings.countdown_s);

  opener.addEventListener("click", () => {
    const line = dialog.querySelector("#link-line");
    line.textContent = link.unknown ? words.text("unknown_messages", link.unknown) : "";
    dialog.querySelector("#voice-line").textContent = voice.able ? "" : words.text("voice.none", packs[words.pack.id]);
    dialog.showModal();
  });

  dialog.addEventListener("change", (event) => {
    const { name, value } = event.target;
    settings[name] = name === "countdown_s" ? Number(value) : value;
    saveSettings(settings);
    if (["machine", "language", "unit"].includes(name)) {
      location.search = ""; // a choice by hand overrides the address
      location.reload();
    } else changed();
  });
}

function fill(select, values, chosen, names = {}) {
  const option = (value) => new Option(names[value] ?? (value || "–"), value, value === chosen, value === chosen);
  select.replaceChildren(...values.map(option));
}
