// The fields of a client: name or alias, consent and its date, note.

import { field } from "./dialog.js";
import { today } from "./format.js";
import { make } from "./make.js";

const MOST_NAME = 100;
const MOST_NOTE = 1000;

export function clientFields({ name, consent_on, note }) {
  const day = make("input", {
    type: "date",
    name: "consent_on",
    value: consent_on ?? today(),
    max: today(),
    required: true,
  });
  const given = make("input", { type: "checkbox", name: "consent", checked: consent_on !== null });
  const dayField = field("Given on", day);
  const show = () => {
    dayField.hidden = !given.checked;
    day.disabled = !given.checked;
  };
  given.addEventListener("change", show);
  show();
  return [
    field(
      "Name or alias",
      make("input", {
        name: "name",
        type: "text",
        value: name,
        maxlength: MOST_NAME,
        required: true,
        autocomplete: "off",
      }),
    ),
    make("label.tick", {}, given, make("span", {}, "Agrees that the gym keeps the sets under this name")),
    dayField,
    field("Note", make("textarea", { name: "note", rows: 2, maxlength: MOST_NOTE }, note)),
  ];
}

/** What was typed, as the server takes it. */
export function clientOf({ name, consent, consent_on, note }) {
  return { name: name.value.trim(), consent_on: consent.checked ? consent_on.value : null, note: note.value.trim() };
}
