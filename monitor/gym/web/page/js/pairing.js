// Lets this screen in: asks for the code that another screen, or the gym's computer, has made.

import { post } from "./api.js";
import { make } from "./make.js";
import { screenName } from "./screens.js";

/** Calls `begin` once the code was right. */
export function showPairing(box, begin, sentence = "") {
  const answer = make("p.notice.bad", { role: "status", hidden: !sentence }, sentence);
  const code = make("input.code", {
    id: "code",
    name: "code",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    maxlength: 12,
    required: true,
  });
  const form = make(
    "form",
    {},
    make("label", { for: "code" }, "Code"),
    code,
    make("button.strong", {}, "Log in"),
    answer,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await post("/api/pair", { code: code.value.replace(/[^0-9A-Za-z]/g, "").toUpperCase(), name: screenName() });
      begin();
    } catch (error) {
      answer.textContent = error.message;
      answer.hidden = false;
      code.select();
    }
  });
  const help = make(
    "p.quiet",
    {},
    "A trainer's screen makes a code with “Add a screen”. For the first screen, run ",
    make("code", {}, "rep-monitor gym code"),
    " on the gym's computer.",
  );
  box.replaceChildren(make("div.pairing", {}, make("h1", {}, "Log in this screen"), form, help));
  code.focus();
}
