// Does something again and again while a person can see the page, and says when the server is out of contact.

import { exactTime } from "./format.js";

let heard_s = Date.now() / 1000;

/** Repeats `task` with `period_ms` between end and begin, until the signal is aborted. Errors go to `failed`. */
export async function repeat(task, period_ms, signal, failed) {
  while (!signal.aborted) {
    try {
      await task();
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
    await later(period_ms, signal);
    await visible(signal);
  }
}

/**
 * Answers can come in another order than their questions. Call what this returns with each question; what that returns,
 * called with the answer, says whether a newer answer has come before it.
 */
export function inOrderOfQuestions() {
  let asked = 0;
  let heard = 0;
  return () => {
    asked += 1;
    const question = asked;
    return () => {
      const isLate = question < heard;
      heard = Math.max(heard, question);
      return isLate;
    };
  };
}

/** Shows in `box` whether the server was heard just now. */
export function contact(box, error = null) {
  const lost = error !== null && (error.status === 0 || error.status >= 500);
  if (!lost) heard_s = Date.now() / 1000;
  document.body.dataset.contact = lost ? "lost" : "good";
  const sentence = lost ? `No news since ${exactTime(heard_s)}: what you see is from then. ${error.message}` : "";
  if (box.textContent !== sentence) box.textContent = sentence;
  box.hidden = !lost;
}

/** Resolves after that time; at once when the signal is aborted. */
function later(period_ms, signal) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end); // a display runs for months
      done();
    };
    const timer = setTimeout(end, period_ms);
    signal.addEventListener("abort", end);
  });
}

async function visible(signal) {
  while (document.hidden && !signal.aborted)
    await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}
