// The trainer's view: trace, tables and trend of one machine.

import { agreed, setUpChooser } from "./js/chooser.js";
import { connect } from "./js/connect.js";
import { History } from "./js/history.js";
import { setUpInvite } from "./js/invite.js";
import { isFault, rowOf } from "./js/kinds.js";
import { leakSoFar } from "./js/leak.js";
import { drawNotices, notices } from "./js/notices.js";
import { Past } from "./js/past.js";
import { screen } from "./js/screen.js";
import { stateIcon, stateLabel } from "./js/status_line.js";
import { Steady } from "./js/steady.js";
import { faults } from "./js/summary.js";
import { comparison, drawEvents, drawLeak, drawReps, drawSets } from "./js/tables.js";
import { Trace } from "./js/trace.js";
import { Trend } from "./js/trend.js";
import { weight } from "./js/units.js";
import { clock } from "./js/words.js";

const FRAME_MS = 100; // the trace moves little more than a pixel in it
const IDLE_TRACE_MS = 500; // between sets
const TABLES_MS = 250; // after an event
const CLOCK_MS = 1000; // without one
const ASKED = 500; // events to request from the store when the page opens

const $ = (id) => document.getElementById(id);
const page = await connect(heard);
const { model, link, words } = page;
const name = (record) => (record.kind === "rep" ? `${words.text("rep")} ${record.rep}` : words.event(record));
const trace = new Trace($("tension-plot"), $("position-plot"), name);
const trend = new Trend($("trend-box"), $("trend-skill"), $("trend-strength"), words.pack.language);
const history = new History();
const past = new Past(page, ASKED);
const steady = new Steady();
const stats = { frames: 0, draw_ms: 0, shown: null };
let woken = false;
let timer = 0;
let drawn_ms = -Infinity; // when the page was last drawn, and its trace
let traced_ms = -Infinity;
let traced = null; // the session whose feedback the trace has
let tables_ms = -Infinity; // when the tables were last drawn
let tablesChanged = true;
let setsChanged = true;

function heard(topic, record, retained) {
  if (topic === "live/feedback" && record) {
    if (record.session !== traced) trace.clear();
    traced = record.session;
    trace.add(record);
  }
  if ((topic === "set" && record) || record?.kind === "set_end") {
    const now = retained || record.historical ? {} : { ended_utc: new Date().toISOString() };
    setsChanged = history.add({ ...record, ...now }) || setsChanged;
  }
  if (topic === "status") past.ask();
  if (topic === "info") drawNotices($("notices"), notices(record, words));
  if (topic !== "live/feedback") tablesChanged = true;
  wake();
}

function wake() {
  if (woken) return;
  woken = true;
  setTimeout(() => requestAnimationFrame(show), Math.max(0, drawn_ms + FRAME_MS - performance.now()));
}

function show() {
  woken = false;
  const begin_ms = performance.now();
  drawn_ms = begin_ms;
  const now = steady.steady(screen(model, begin_ms), begin_ms);
  drawTop(now);
  if (now.set !== null || begin_ms - traced_ms >= IDLE_TRACE_MS) {
    traced_ms = begin_ms;
    trace.draw(model.recent, now.half);
  }
  const due_ms = tables_ms + (tablesChanged ? TABLES_MS : CLOCK_MS);
  if (begin_ms >= due_ms) {
    tables_ms = begin_ms;
    tablesChanged = false;
    drawTables(now);
  }
  clearTimeout(timer);
  timer = setTimeout(wake, Math.max(FRAME_MS, Math.min(now.next_ms + 1, due_ms) - begin_ms));
  stats.frames += 1;
  stats.draw_ms += performance.now() - begin_ms;
  stats.shown = model.feedback;
}

function drawTop(now) {
  const marks = { state: now.state, band: now.band, resting: now.resting, heave: now.heave ?? "none", kind: now.kind };
  for (const [key, value] of Object.entries(marks))
    if (document.body.dataset[key] !== value) document.body.dataset[key] = value;
  const waiting = now.seconds !== null && now.state !== "countdown" ? ` · ${words.seconds(now.seconds)}` : "";
  write("pill-text", stateLabel(now, words) + waiting);
  const icon = `#i-${stateIcon(now)}`;
  if ($("pill-icon").getAttribute("href") !== icon) $("pill-icon").setAttribute("href", icon);
  write("agreed", agreed(now, words));
  write("reps", now.set === null ? "–" : String(now.reps));
  write("under-load", now.under_load_s === null ? "–" : clock(now.under_load_s));
  write("under-tension", now.under_tension_s === null ? "–" : clock(now.under_tension_s));
  write("load", now.load_kg === null ? "–" : weight(now.load_kg));
}

function drawTables(now) {
  drawReps($("rep-rows"), model, words);
  drawEvents($("events"), model, words);
  write("set-number", model.set === null ? "" : `${words.text("set")} ${model.set}`);
  const over = model.ended && model.ended.session === model.session && model.ended.set === model.set;
  const lasting = now.set !== null && model.feedback;
  if (lasting) drawLeak($("leak"), leakSoFar(model.recent, model.set, model.feedback.t_s), faultsSoFar(), words);
  else drawLeak($("leak"), over ? model.ended.leak : null, over ? faults(model.ended) : [], words);
  write("leak-of", lasting ? words.text("leak.so_far") : over ? words.text("leak.final") : "");
  if (!setsChanged) return;
  setsChanged = false;
  drawSets($("set-rows"), history.sets, words);
  const last = history.sets.at(-1);
  write("compare", last ? comparison(last, history.before(last), words) : "");
  write("history-note", history.fromStore ? "" : words.text("history.absent"));
  trend.draw(history.days);
}

/** The faults of the current set, as [row, count]. */
function faultsSoFar() {
  const found = model.recent
    .map(({ record }) => record)
    .filter((record) => record.set === model.set && isFault(record));
  return [...Map.groupBy(found, rowOf)].map(([row, records]) => [row, records.length]);
}

/** The feedback of the last minute from the server, before what this page has heard itself. */
async function loadRecent() {
  const answer = await fetch("recent.json", { cache: "no-store" });
  if (!answer.ok) return; // this server has none
  const { session, ...columns } = await answer.json();
  if (session !== (traced ?? session)) return;
  traced = session;
  const fields = ["t_s", "feedback_hz", "tension", "tension_n", "position", "pace"];
  trace.precede(columns.t_s.map((_, at) => Object.fromEntries(fields.map((field) => [field, columns[field][at]]))));
  traced_ms = -Infinity;
}

function write(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

$("machine").textContent = page.machine;
setUpChooser({ opener: $("choose"), page });
setUpInvite({ opener: $("invite"), words });
$("to-display").search = location.search;
globalThis.repMonitor = { model, link, stats, history, trace };
await history.load().catch((error) => console.info(`no history: ${error.message}`));
await loadRecent().catch((error) => console.info(`the chart begins empty: ${error.message}`));
setsChanged = true;
wake();
