// Opens a dialog with a form; it is removed when it closes.

import { make } from "./make.js";

/**
 * `send(form)` is called for the strong button; it may throw an Error, whose sentence is then shown, or return false to
 * stay open. Without `send` there is only the button that closes.
 */
export function ask({ title, body, action = "", send = null, close = "Cancel", danger = false, closed = () => {} }) {
  const answer = make("p.notice.bad", { role: "status", hidden: true });
  const strong = send && make(danger ? "button.danger" : "button.strong", { value: "send" }, action);
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", { id: "dialog-title", tabindex: "-1", autofocus: true }, title),
    body,
    answer,
    make("div.pair", {}, make("button", { value: "close", formnovalidate: true }, close), strong),
  );
  const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, form);
  form.addEventListener("submit", async (event) => {
    if (event.submitter?.value === "close") return; // the form closes its dialog
    event.preventDefault();
    if (!strong || strong.disabled) return;
    strong.disabled = true;
    answer.hidden = true;
    try {
      if ((await send(form)) !== false) dialog.close();
    } catch (error) {
      answer.textContent = error.message;
      answer.hidden = false;
      answer.scrollIntoView({ block: "nearest" });
    }
    strong.disabled = false;
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A field with its label; `input` is made by the caller. */
export function field(label, input, hint = "") {
  return make("label.field", {}, make("span", {}, label), input, hint && make("small.quiet", {}, hint));
}
