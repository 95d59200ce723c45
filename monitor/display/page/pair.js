// Lets this screen in: sends the code that a coach made, from the link of the QR code or typed.
//
// Where the machine offers TLS, the code is given on the secure page only, and this page leads there.

import { loadSettings } from "./js/settings.js";
import { json, listPacks, loadWords } from "./js/words.js";

const CODE_LENGTH = 6;
const ANSWERS = { 403: "pair.wrong", 429: "pair.wait" };
const PAGES = { coach: "trainer.html", display: "./" };

const $ = (id) => document.getElementById(id);
const { secure_port, language } = await json("pairing.json");
const words = await loadWords(loadSettings().language ?? language, await listPacks());
words.fill(document);
document.title = words.text("pair");

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  letIn();
});
addEventListener("hashchange", begin);
begin();

function begin() {
  $("steps").hidden = !secure_port;
  $("form").hidden = Boolean(secure_port);
  if (secure_port) $("secure").href = `https://${location.hostname}:${secure_port}/pair.html${location.hash}`;
  else fromLink();
}

/** The code behind the # is taken at once, and removed from the address and the history. */
function fromLink() {
  const code = location.hash.slice(1);
  if (code.length !== CODE_LENGTH) return $("code").focus();
  history.replaceState(null, "", location.pathname + location.search);
  $("code").value = code;
  letIn();
}

async function letIn() {
  const headers = { "Rep-Monitor-Code": $("code").value.replace(/[^0-9A-Za-z]/g, "") };
  $("answer").textContent = words.text("pair.asking");
  try {
    const answer = await fetch("pair", { method: "POST", headers });
    if (answer.ok) return location.replace(PAGES[(await answer.json()).role]);
    $("answer").textContent = words.text(ANSWERS[answer.status] ?? "pair.silent");
  } catch (error) {
    console.info(`no answer: ${error.message}`);
    $("answer").textContent = words.text("pair.silent");
  }
  $("code").select();
}
