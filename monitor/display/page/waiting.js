// What a screen shows while its machine's server cannot be reached; loads the page as soon as it answers.
//
// The worker keeps this page, and gives it in place of the one that was asked for.

import { loadSettings } from "./js/settings.js";
import { json, listPacks, loadWords } from "./js/words.js";

const EVERY_MS = 2000;
const ANSWER_MS = 3000;
const GATEWAY_ERRORS = 502; // and above: a proxy answers for a server that is not there

const { language } = await json("pairing.json");
const words = await loadWords(loadSettings().language ?? language, await listPacks());
words.fill(document);
document.title = words.text("waiting");
ask();

async function ask() {
  try {
    const answer = await fetch("config.json", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.status < GATEWAY_ERRORS) return location.reload();
  } catch (error) {
    console.info(`still waiting: ${error.message}`);
  }
  setTimeout(ask, EVERY_MS);
}
