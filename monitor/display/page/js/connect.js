// Starts both pages: loads settings and words, and connects to the machine.

import { addIcons } from "./icons.js";
import { waitForServer } from "./kiosk.js";
import { Link } from "./link.js";
import { Model } from "./model.js";
import { loadSettings } from "./settings.js";
import { useUnit } from "./units.js";
import { json, listPacks, loadWords } from "./words.js";

const HIDDEN_MS = 500;
const AGAIN_MS = 5000;

/** Connects; calls `changed` after each message and each change of the connection. */
export async function connect(changed) {
  addIcons();
  const settings = loadSettings();
  const [config, packs] = await Promise.all([json("config.json"), listPacks()]);
  useUnit(settings.unit ?? config.unit);
  const words = await loadWords(settings.language ?? config.language, packs);
  words.fill(document);
  const model = new Model();
  const machine = config.machines?.includes(settings.machine) ? settings.machine : config.machine;
  document.title = `${words.text("title")} · ${machine}`;
  const link = new Link({
    tree: `${config.root}/${machine}`,
    url: config.ws_url ?? `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/mqtt`,
    heard(topic, record, retained) {
      model.heard(topic, record, retained, performance.now());
      if (topic === "info") reloadAfterUpdate(model);
      changed(topic, record, retained);
    },
    changed(state) {
      model.link(state, performance.now());
      changed();
    },
  });
  painted().then(() => addLibrary(() => link.start()));
  waitForServer();
  if (config.playback) import("./playback.js").then(({ setUpPlayback }) => setUpPlayback(words, link));
  return { model, link, words, settings, packs, machine, machines: config.machines ?? [config.machine] };
}

/** After the browser has painted once, or could have: a page in the background does not. */
function painted() {
  const frame = new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return Promise.race([frame, new Promise((done) => setTimeout(done, HIDDEN_MS))]);
}

/** The MQTT library takes long to compile, so it comes after the first words. Without it the page reloads. */
function addLibrary(ready) {
  const script = document.createElement("script");
  script.src = "vendor/mqtt.min.js";
  script.addEventListener("load", ready);
  script.addEventListener("error", () => setTimeout(() => location.reload(), AGAIN_MS));
  document.head.append(script);
}

/**
 * Nobody reloads a screen on a wall: a new version of the daemon loads the new page, between two sets. If the server
 * does not answer, the old page stays, and the next info message tries again.
 */
function reloadAfterUpdate(model) {
  const version = model.info?.version;
  reloadAfterUpdate.first ??= version;
  if (!version || version === reloadAfterUpdate.first || (model.feedback?.set ?? null) !== null) return;
  fetch(location.href, { cache: "no-store" }).then(
    (page) => page.ok && location.reload(),
    () => {},
  );
}
