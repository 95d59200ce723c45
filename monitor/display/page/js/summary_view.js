// Draws a set's summary: tension, leak by cause, one thing to do better.

import { element } from "./parts.js";
import { faults, leaks, unjudged, worst } from "./summary.js";
import { kilograms } from "./units.js";
import { CLEAN, CLEAN_SO_FAR } from "./vocabulary.js";

export function drawSummary(root, record, words) {
  const leaked = leaks(record);
  const dark_s = unjudged(record);
  if (dark_s >= 1) leaked.push({ cause: "unjudged_s", seconds: dark_s, share: dark_s / record.under_load_s });
  const known = record.under_tension_s !== null;
  const headline = [
    element("p", "how", setLine(record, words)),
    known ? tension(record, words) : element("p", "of", words.text("summary.unknown")),
    element(
      "p",
      "of",
      known ? words.text("summary.of", words.seconds(record.under_load_s)) : words.seconds(record.under_load_s),
    ),
  ];
  const rows = [element("div", "headline", "", headline), causes(record, leaked, words)];
  if (known) rows.push(shares(record, leaked, words));
  rows.push(
    element("div", "better wide-row", "", [
      element("h2", "", words.text("summary.better")),
      element("p", "", advice(record, words)),
    ]),
  );
  root.replaceChildren(...rows);
}

function setLine(record, words) {
  const parts = [`${words.text("set")} ${record.set}`, `${record.reps} ${words.text("reps")}`];
  if (record.working_load_n !== null) parts.push(`${Math.round(kilograms(record.working_load_n))} kg`);
  parts.push(words.text(`outcome.${record.outcome}`));
  return parts.join(" · ");
}

function tension(record, words) {
  const made = element("p", "tension", String(Math.round(record.under_tension_s)));
  made.append(element("small", "", `s ${words.text("summary.tension")}`));
  return made;
}

/** One bar: tension, then each cause of leak in its own pattern. */
function shares(record, leaked, words) {
  const parts = [{ cause: "tension", share: record.under_tension_s / record.under_load_s }, ...leaked].map(
    ({ cause, share }) => {
      const part = element("i", `share-${cause}`);
      part.style.width = `${(100 * share).toFixed(1)}%`;
      return part;
    },
  );
  const made = element("div", "shares wide-row", "", parts);
  made.setAttribute("role", "img");
  made.setAttribute(
    "aria-label",
    `${Math.round((100 * record.under_tension_s) / record.under_load_s)} % ${words.text("summary.tension")}`,
  );
  return made;
}

function advice(record, words) {
  const row = worst(record);
  if (row) return words.remedy(row);
  return unjudged(record) < 1 ? words.word("better.clean", CLEAN) : words.word("better.clean_so_far", CLEAN_SO_FAR);
}

function causes(record, leaked, words) {
  if (!leaked.length) return element("div", "causes", "", [element("p", "", withoutLeak(record, words))]);
  const rows = leaked.map(({ cause, seconds }) =>
    element("div", "", "", [
      element("i", `share-${cause}`),
      element("dt", "", words.leak(cause)),
      element("dd", "", words.text("seconds", seconds.toFixed(1))),
    ]),
  );
  return element("div", "causes", "", [element("h2", "", words.text("summary.leak")), element("dl", "", "", rows)]);
}

/** The sentence for a set with hardly any leak; it never hides faults. */
function withoutLeak(record, words) {
  const names = faults(record).map(([row, count]) => `${words.name(row)} ${count}`);
  return names.length ? words.text("summary.faults", names.join(" · ")) : words.text("summary.clean");
}
