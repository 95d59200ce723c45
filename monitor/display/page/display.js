// The lifter's display: shows the live feedback of one machine.

import { setUpChooser } from "./js/chooser.js";
import { connect } from "./js/connect.js";
import { setUpDialog } from "./js/dialog.js";
import { hintAtSleep, setUpFullscreen, stayAwake } from "./js/kiosk.js";
import { RECENT } from "./js/model.js";
import { Past } from "./js/past.js";
import { BEGIN_MS, screen } from "./js/screen.js";
import { saveSettings } from "./js/settings.js";
import { Sound } from "./js/sound.js";
import { picture } from "./js/stage.js";
import { Steady } from "./js/steady.js";
import { drawSummary } from "./js/summary_view.js";
import { draw } from "./js/view.js";
import { Voice } from "./js/voice.js";

const $ = (id) => document.getElementById(id);
const page = await connect(heard);
const { model, words, settings } = page;
const past = new Past(page, RECENT);
const sound = new Sound();
const voice = new Voice(words);
const steady = new Steady();
const chosen = { countdown_ms: null, dismissed: null, guidance: settings.guidance };
const stats = { frames: 0, draw_ms: 0, shown: null };
let woken = false;
let timer = 0;
let summarised = null; // the set whose summary the page shows

function heard() {
  if (model.set !== null && !model.whole) past.ask(); // opened, or connected again, in the middle of a set
  wake();
}

/** Soon, but not with a frame: if nothing changes the browser need not draw one. */
function wake() {
  if (!woken) queueMicrotask(show);
  woken = true;
}

function show() {
  woken = false;
  const now_ms = performance.now();
  const now = steady.steady(screen(model, now_ms, chosen), now_ms);
  const over = now.set !== null || now_ms >= chosen.countdown_ms + BEGIN_MS; // the set has begun, or will not begin
  if (over) chosen.countdown_ms = null;
  if (now.state === "summary" && model.ended && summarised !== model.ended) {
    summarised = model.ended;
    drawSummary($("summary"), summarised, words);
  }
  const seen = draw(now, words);
  sound.hear(now, now_ms);
  voice.hear(now, now_ms);
  clearTimeout(timer);
  if (now.next_ms < Infinity) timer = setTimeout(wake, Math.max(0, now.next_ms - now_ms) + 1);
  if (seen) stats.frames += 1;
  stats.draw_ms += performance.now() - now_ms;
  stats.shown = model.feedback;
}

function startOrStop() {
  chosen.countdown_ms = chosen.countdown_ms !== null ? null : performance.now() + 1000 * settings.countdown_s;
  chosen.dismissed = model.ended;
  wake();
}

function toggleSound() {
  settings.sound = sound.toggle() ? "on" : "off";
  saveSettings(settings);
  speakOrNot();
  drawSound();
}

/** The icon says whether there is sound, not whether it was asked for. */
function drawSound() {
  $("sound").setAttribute("aria-pressed", String(sound.audible));
  $("sound-icon").setAttribute("href", sound.audible ? "#i-sound-on" : "#i-sound-off");
}

/** Browsers start sound only after a touch; what was on before a reload is turned on with the first one. */
function soundOn({ target }) {
  if (target.closest?.("#sound")) return;
  if (settings.sound === "on" && !sound.on) toggleSound();
  sound.resume();
}

function speakOrNot() {
  if (sound.on && settings.voice === "on") voice.on = true;
  else voice.silence();
}

function mayFallAsleep(reason) {
  hintAtSleep($("sleep"), reason, { words: page.words, settings, save: saveSettings });
}

$("machine").textContent = page.machine;
$("to-trainer").search = location.search;
$("start").addEventListener("click", startOrStop);
$("sound").addEventListener("click", toggleSound);
setUpDialog({
  dialog: $("settings"),
  opener: $("open-settings"),
  page,
  voice,
  changed() {
    chosen.guidance = settings.guidance;
    speakOrNot();
    wake();
  },
});
setUpChooser({ opener: $("choose"), page });
setUpFullscreen($("fullscreen"));
addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "m") toggleSound();
  if (event.key === "c") startOrStop();
});
sound.changed = drawSound;
addEventListener("pointerdown", soundOn);
document.addEventListener("visibilitychange", () => {
  sound.resume();
  stayAwake(mayFallAsleep);
});
stayAwake(mayFallAsleep);
globalThis.repMonitor = { model, link: page.link, stats, sound, voice, picture };
wake();
