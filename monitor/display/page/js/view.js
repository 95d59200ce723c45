// Draws the lifter's display; changes only what differs.

import { barLevel } from "./bar.js";
import { agreed } from "./chooser.js";
import { symbol } from "./icons.js";
import { rowOf } from "./kinds.js";
import { element } from "./parts.js";
import { move, redraw } from "./stage.js";
import { stateIcon, stateLabel } from "./status_line.js";
import { weight } from "./units.js";
import { clock } from "./words.js";

const $ = (id) => document.getElementById(id);
const written = new Map(); // what the page shows, by place
let writes = 0;

function put(place, value, write) {
  if (written.get(place) === value) return;
  writes += 1;
  written.set(place, value);
  write(value);
}
const text = (id, value) => put(id, value, () => ($(id).textContent = value));
const attribute = (id, name, value) => put(`${id} ${name}`, value, () => $(id).setAttribute(name, value));
const mark = (name, value) => put(name, value, () => (document.body.dataset[name] = value));
const icon = (id, name) => attribute(id, "href", `#i-${name}`);

// The size is observed, so that nothing is measured when the word changes.
let room_px = { width: 0, height: 0 }; // for the word
new ResizeObserver(([{ contentRect }]) => {
  room_px = contentRect;
  fitWord();
}).observe($("word"));

const CALL_STAFF = new Set(["encoder_slip", "saturated"]); // the cord, the cell or the load is not as it should be

/** Returns whether anything had to be changed. */
export function draw(now, words) {
  const before = writes;
  mark("state", now.state);
  mark("reason", now.reason ?? "none");
  mark("band", now.band);
  mark("resting", now.resting);
  mark("heave", now.heave ?? "none");
  mark("correcting", String(now.correcting));
  mark("veiled", String(now.veiled));
  mark("kind", now.kind);
  mark("cue", now.cue);
  drawCue(now, words);
  put("colours", [now.state, now.band, now.resting].join(), redraw);
  const level = describeBar(now, words);
  if (move({ level, position: now.position, pace: now.pace })) writes += 1;
  drawLadder(now, words);
  drawFigures(now, words);
  drawFaults(now, words);
  text("start", words.text({ countdown: "stop", summary: "next" }[now.state] ?? "start"));
  return writes > before;
}

function drawCue(now, words) {
  const word = now.cue === "pause" ? words.text("pause") : words.cue(now.cue);
  icon("cue-icon", stateIcon(now));
  text("label", stateLabel(now, words));
  text("detail", detail(now, words));
  text("count-number", now.reason === "count" ? String(now.seconds) : now.state === "countdown" ? word : "");
  put("word", word, () => {
    $("word").textContent = word;
    fitWord();
  });
}

function detail(now, words) {
  if (now.state === "fault") return words.text(CALL_STAFF.has(now.reason) ? "fault.stop" : "fault.continue");
  if (now.state === "idle" && now.unstable) return words.text("state.stale.unstable"); // connected, but not reliably
  if (now.state === "idle" && now.last) {
    const { under_tension_s, under_load_s } = now.last;
    const tension = under_tension_s === null ? "–" : words.seconds(under_tension_s);
    const of = words.text("summary.of", words.seconds(under_load_s));
    return `${words.text("last")}: ${tension} ${words.text("summary.tension")} ${of}`;
  }
  if (now.seconds === null || now.state === "countdown") return "";
  return words.text(now.state === "stale" ? "for" : "in", words.seconds(now.seconds));
}

/** Describes the bar for style sheet and screen readers; returns how full it is, 0 to 1, or null for no bar. */
function describeBar(now, words) {
  const neutral = now.state === "learning" && now.force_n !== null;
  const level = neutral ? learningLevel(now) : now.tension === null ? null : barLevel(now.tension, now.half, now.band);
  mark("level", level === null ? "none" : "shown");
  const percent = now.tension === null ? null : 5 * Math.round(now.tension * 20); // coarse enough for a screen reader
  attribute("bar", "aria-valuenow", percent === null ? 0 : Math.min(200, Math.max(0, percent)));
  attribute("bar", "aria-valuetext", stateLabel(now, words) + (percent === null ? "" : `, ${percent} %`));
  return now.veiled ? null : level;
}

let largest_n = 1; // the scale while the load is unknown
function learningLevel(now) {
  largest_n = now.reps === 0 && now.under_load_s < 1 ? Math.max(1, now.force_n) : Math.max(largest_n, now.force_n);
  return Math.max(0, now.force_n / largest_n) * 0.8;
}

function drawLadder(now, words) {
  mark("position", now.position === null ? "none" : "shown");
  mark("pace", now.pace === null ? "none" : "shown");
  const moving = now.phase && now.state !== "idle";
  text("phase", moving ? words.text(`phase.${now.phase}`) : words.text("position"));
  put("phase shown", Boolean(moving), (shown) => ($("phase-icon").parentNode.style.display = shown ? "" : "none"));
  if (now.phase)
    icon("phase-icon", { upper_turn: "turn", lower_turn: "turn", hold: "rest", held: "rest" }[now.phase] ?? now.phase);
  attribute("ladder", "aria-valuenow", now.position === null ? 0 : 5 * Math.round(20 * now.position));
  attribute("ladder", "aria-valuetext", now.position === null ? "–" : words.text(`phase.${now.phase}`));
}

function drawFigures(now, words) {
  text("protocol", now.protocol ?? "");
  text("agreed", agreed(now, words));
  text("under-load", now.under_load_s === null ? "–" : clock(now.under_load_s));
  text("under-tension", now.under_tension_s === null ? "–" : clock(now.under_tension_s));
  text("reps-name", words.text(now.stage === null ? "reps" : "stage"));
  text("reps", now.stage !== null ? String(now.stage) : now.set === null ? "–" : String(now.reps));
  text("load", now.load_kg === null ? "–" : weight(now.load_kg));
}

/** One line for each repetition, with its faults in time order. */
function drawFaults({ faults, whole }, words) {
  const key = faults.map(({ id, kind, rep }) => `${id} ${kind} ${rep}`).join();
  put("faults", `${words.pack.language} ${whole} ${key}`, () => {
    const rows = [...Map.groupBy(faults, ({ rep }) => rep)].slice(0, 3).map(([rep, records]) => {
      const first = records.at(-1);
      const names = [...new Set(records.map((record) => words.event(record)).reverse())].join(" · ");
      return element("li", "", "", [
        symbol(rowOf(first).icon),
        element("span", "", names),
        element("span", "", rep === null ? "" : `${words.text("rep")} ${rep}`),
      ]);
    });
    if (!rows.length) rows.push(element("li", "none", whole ? words.text("faults.none") : "–"));
    $("faults").replaceChildren(...rows);
  });
}

const sizes = new Map(); // of words at 100 px
const pen = document.createElement("canvas").getContext("2d");

/** Makes the word as large as its tile allows. */
export function fitWord() {
  const word = $("word").textContent;
  if (sizes.size > 100) sizes.clear();
  if (!sizes.has(word)) sizes.set(word, sizeAt100($("word"), word));
  const { width, height } = room_px;
  const at100 = sizes.get(word);
  const wide = (width * 97) / Math.max(at100.width, 1);
  const high = Math.min(height * 1.08, (height * 48) / at100.reach); // capitals fill three quarters of the line height
  const size = Math.min(high, wide);
  $("word").style.fontSize = `${Math.max(20, Math.floor(size))}px`;
}

document.fonts.ready.then(() => {
  sizes.clear();
  fitWord();
});

/** The width of the word, and how far it reaches from the middle of its line: accents, and letters below the line. */
function sizeAt100(element, word) {
  const style = getComputedStyle(element);
  pen.font = `${style.fontWeight} 100px ${style.fontFamily}`;
  const ink = pen.measureText(word);
  const below = (ink.fontBoundingBoxAscent - ink.fontBoundingBoxDescent) / 2; // of the base line, from the middle
  const reach = Math.max(ink.actualBoundingBoxAscent - below, below + ink.actualBoundingBoxDescent, 1);
  return { width: ink.width, reach };
}
