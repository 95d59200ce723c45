// Today's workouts, the newest first.

import { get } from "./api.js";
import { count, day, dayBegan } from "./format.js";
import { make, redraw } from "./make.js";
import { inOrderOfQuestions } from "./poll.js";
import { visitCard } from "./visits.js";

const PERIOD_MS = 5000;

export async function showToday(box, { me, signal }) {
  const heading = make("h1", {}, "Today");
  const sum = make("p.quiet", {});
  const list = make("div.visits", {});
  let shown = null;
  const newQuestion = inOrderOfQuestions();
  box.append(make("div.head", {}, heading, sum), list);

  async function refresh() {
    const isLate = newQuestion();
    const visits = await get("/api/visits", { since_unix_s: dayBegan() });
    const text = JSON.stringify(visits);
    if (signal.aborted || isLate() || text === shown) return;
    shown = text;
    const sets = visits.reduce((sum, visit) => sum + visit.sets.length, 0);
    sum.textContent = `${day(Date.now() / 1000)}: ${count(visits.length, "visit")}, ${count(sets, "set")}`;
    const newest = [...visits].sort((one, other) => other.ended_unix_s - one.ended_unix_s);
    const cards = newest.map((visit) => visitCard(visit, { mayChange: me.role === "trainer", again: refresh }));
    redraw(
      list,
      cards.length ? cards : make("p.notice", {}, "No set has ended today. Each appears here when it ends."),
    );
    if (visits.some(({ sets }) => sets.some(({ marked_failure }) => marked_failure !== null)))
      list.append(make("p.quiet", {}, "* marked by hand"));
  }
  return { refresh, period_ms: PERIOD_MS };
}
