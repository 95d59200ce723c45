// Draws the trainer's tables: repetitions of this set, recent events, leak by cause, sets.

import { inOrder } from "./direction.js";
import { localDay } from "./history.js";
import { symbol } from "./icons.js";
import { isFault, isListed, rowOf } from "./kinds.js";
import { element } from "./parts.js";
import { leaked, withoutLeak } from "./summary.js";
import { dayName } from "./trend.js";
import { inUnit, kilograms, weight } from "./units.js";
import { clock } from "./words.js";

const EVENTS = 14;

export function drawReps(body, model, words) {
  const faults = new Map(); // rep -> events
  for (const { record } of model.recent) {
    if (isFault(record) && record.set === model.set)
      faults.set(record.rep, [...(faults.get(record.rep) ?? []), record]);
  }
  const startsUp = model.info?.protocol.starts_with !== "negative";
  rows(
    body,
    [...model.reps.values()].sort((one, other) => other.rep - one.rep),
    words,
    (rep) => [
      `${rep.rep}${rep.partial ? ` (${words.text("partial")})` : ""}`,
      rep.positive_s.toFixed(1),
      rep.upper_dwell_s.toFixed(1),
      rep.negative_s.toFixed(1),
      rep.rep === 1 && startsUp ? "–" : rep.lower_dwell_s.toFixed(1), // the dwell before the set does not count
      (100 * rep.rom_m).toFixed(0),
      rep.peak_g === null ? "–" : rep.peak_g.toFixed(2),
      rep.tension_mean_n === null ? "–" : inUnit(kilograms(rep.tension_mean_n)).toFixed(0),
      rep.in_band_s === null || !rep.duration_s ? "–" : percent(rep.in_band_s / rep.duration_s),
      rep.start ? words.text(`start.${rep.start.grade}`) : "–",
      rep.segmented ? `${rep.segmented.positive} / ${rep.segmented.negative}` : "–",
      icons(faults.get(rep.rep) ?? [], words),
    ],
  );
}

export function drawEvents(body, model, words) {
  const now_s = model.feedback?.t_s;
  const listed = model.recent.map(({ record }) => record).filter(isListed);
  rows(body, runs(listed).slice(0, EVENTS), words, (run) => {
    const [record, first] = [run[0], run.at(-1)];
    const span = run.length > 1 ? ` · ${inOrder(`${run.length} × · ${clock(record.t_s - first.t_s)}`)}` : "";
    const lasted_s = run.reduce((sum, { duration_s }) => sum + duration_s, 0);
    return [
      now_s === undefined ? "–" : inOrder(`−${clock(Math.max(0, now_s - record.t_s))}`),
      icons([record], words, words.event(record) + span),
      record.rep === null ? "" : String(record.rep),
      record.duration_s === null ? "…" : lasted_s ? lasted_s.toFixed(1) : "",
    ];
  });
}

/** Each record alone, but spikes that follow one another together, as in the report on a terminal. */
function runs(records) {
  const found = [];
  for (const record of records) {
    const [before] = found.at(-1) ?? [];
    if (isSpike(record) && before && isSpike(before) && before.detail === record.detail) found.at(-1).push(record);
    else found.push([record]);
  }
  return found;
}

const isSpike = ({ kind, cause }) => kind === "sensor_fault" && cause === "spike";

/** `leak` is {cause: seconds}; causes without leak are left out. `faults`: [row, count] of the set. */
export function drawLeak(box, leak, faults, words) {
  const causes = Object.entries(leak ?? {}).filter(([, seconds]) => seconds >= 0.05);
  if (!causes.length)
    return box.replaceChildren(
      element("dt", "quiet", leak ? withoutLeak(faults, words) : words.text("none_yet")),
      element("dd"),
    );
  const most = Math.max(1, ...causes.map(([, seconds]) => seconds));
  box.replaceChildren(
    ...causes.flatMap(([cause, seconds]) => {
      const bar = element("dd", "leak-bar");
      const fill = element("i", `share-${cause}`);
      fill.style.width = `${(100 * seconds) / most}%`;
      bar.append(fill);
      return [element("dt", "", words.leak(cause)), bar, element("dd", "", words.text("seconds", seconds.toFixed(1)))];
    }),
  );
}

export function drawSets(body, sets, words) {
  const today = localDay(new Date());
  const day = ({ ended_utc }) =>
    !ended_utc || localDay(ended_utc) === today ? "" : `${dayName(ended_utc, words.pack.language)} · `;
  rows(body, [...sets].reverse().slice(0, 20), words, (set) => [
    `${day(set)}${set.set}`,
    set.working_load_n === null ? "–" : weight(kilograms(set.working_load_n)),
    String(set.reps),
    set.under_load_s.toFixed(0),
    set.under_tension_s === null ? "–" : set.under_tension_s.toFixed(0),
    leaked(set)?.toFixed(0) ?? "–",
    set.skill === null ? "–" : percent(set.skill),
    words.text(`outcome.${set.outcome}`),
  ]);
}

/** One sentence that compares this set with the one before at the same load. */
export function comparison(record, before, words) {
  if (!record || !before) return words.text("compare.none");
  const points = (share) => share && 100 * share;
  const change = (now, then, unit) => (now === null || then === null ? "–" : inOrder(`${signed(now - then)}${unit}`));
  const changes = [
    `${words.text("under_tension")} ${change(record.under_tension_s, before.under_tension_s, "\u00a0s")}`,
    `${words.text("skill")} ${change(points(record.skill), points(before.skill), `\u00a0${words.text("points")}`)}`,
    `${words.text("leak")} ${change(leaked(record), leaked(before), "\u00a0s")}`,
    `${words.text("reps")} ${change(record.reps, before.reps, "")}`,
  ];
  return `${words.text("compare")}: ${changes.join(" · ")}`;
}

const percent = (share) => inOrder(`${Math.round(100 * share)} %`);

function signed(value) {
  const whole = Math.round(value);
  return whole > 0 ? `+${whole}` : whole < 0 ? `−${-whole}` : "±0";
}

function rows(body, records, words, cells) {
  if (!records.length) {
    const row = body.insertRow();
    const cell = row.insertCell();
    cell.colSpan = body.parentNode.tHead.rows[0].cells.length;
    cell.className = "quiet";
    cell.textContent = words.text("none_yet");
    body.replaceChildren(row);
    return;
  }
  body.replaceChildren(
    ...records.map((record) => {
      const row = document.createElement("tr");
      row.append(
        ...cells(record).map((value, at) => {
          const cell = document.createElement(at ? "td" : "th");
          if (!at) cell.scope = "row";
          cell.append(value);
          return cell;
        }),
      );
      return row;
    }),
  );
}

function icons(records, words, name = "") {
  const box = element("span", "icons");
  for (const record of records) {
    const icon = symbol(rowOf(record).icon);
    icon.removeAttribute("aria-hidden");
    icon.setAttribute("role", "img");
    icon.setAttribute("aria-label", words.event(record));
    box.append(icon);
  }
  box.append(name);
  return box;
}
