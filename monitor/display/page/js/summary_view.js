// Draws a set's summary: tension, leak by cause, one thing to do better.

import { element } from "./parts.js";
import { faults, leaked, leaks, length, unjudged, withoutLeak, worst } from "./summary.js";
import { kilograms, weight } from "./units.js";
import { CLEAN, CLEAN_SO_FAR } from "./vocabulary.js";

export function drawSummary(root, record, words) {
  const lost = leaks(record);
  const dark_s = unjudged(record);
  if (dark_s >= 1) lost.push({ cause: "unjudged_s", seconds: dark_s, share: dark_s / length(record) });
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
  const rows = [element("div", "headline", "", headline), causes(record, lost, words)];
  if (known) rows.push(shares(record, lost, words));
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
  if (record.clean_reps != null) parts.push(`${record.clean_reps} ${words.text("clean")}`);
  if (record.working_load_n !== null) parts.push(weight(kilograms(record.working_load_n)));
  parts.push(words.text(`outcome.${record.outcome}`));
  return parts.join(" · ");
}

function tension(record, words) {
  const made = element("p", "tension", String(Math.round(record.under_tension_s)));
  made.append(element("small", "", `${words.text("col.s")} ${words.text("summary.tension")}`));
  return made;
}

/** One bar of the set: what did not leak, then each cause of leak in its own pattern. */
function shares(record, lost, words) {
  const kept = Math.max(0, 1 - ((leaked(record) ?? 0) + unjudged(record)) / length(record));
  const parts = [{ cause: "tension", share: kept }, ...lost].map(({ cause, share }) => {
    const part = element("i", `share-${cause}`);
    part.style.width = `${(100 * share).toFixed(1)}%`;
    return part;
  });
  const made = element("div", "shares wide-row", "", parts);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", words.text("summary.kept", Math.round(100 * kept)));
  return made;
}

function advice(record, words) {
  const row = worst(record);
  if (row) return words.remedy(row);
  return unjudged(record) < 1 ? words.word("better.clean", CLEAN) : words.word("better.clean_so_far", CLEAN_SO_FAR);
}

function causes(record, lost, words) {
  if (!lost.length) return element("div", "causes", "", [element("p", "", withoutLeak(faults(record), words))]);
  const rows = lost.map(({ cause, seconds }) =>
    element("div", "", "", [
      element("dt", "", "", [element("i", `share-${cause}`), words.leak(cause)]),
      element("dd", "", words.text("seconds", seconds.toFixed(1))),
    ]),
  );
  return element("div", "causes", "", [element("h2", "", words.text("summary.leak")), element("dl", "", "", rows)]);
}
