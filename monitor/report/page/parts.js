// Helpers for drawing: SVG elements, ticks at round numbers, clock times.

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(text);
  return made;
}

/** A linear scale from values to pixels. */
function scale(from, until, start, end) {
  return (value) => start + ((value - from) / (until - from || 1)) * (end - start);
}

/** About `wanted` round numbers in a range. */
function ticks(from, until, wanted, steps = [1, 2, 5, 10]) {
  const rough = (until - from) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = steps.map((one) => one * power).find((one) => one >= rough) ?? 10 * power;
  const found = [];
  for (let at = Math.ceil(from / step - 1e-9); at * step <= until + 1e-9; at++)
    found.push(+(at * step).toPrecision(12));
  return found;
}

const ROUND_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

function timeTicks(from_s, until_s, wanted) {
  const step = ROUND_S.find((one) => one >= (until_s - from_s) / wanted) ?? 14400;
  const found = [];
  for (let at = Math.ceil(from_s / step - 1e-9); at * step <= until_s + 1e-9; at++) found.push(at * step);
  return found.map((t_s) => [t_s, clock(t_s, step < 1)]);
}

/** 1:02, 1:02.3, 1:00:02 */
function clock(t_s, tenths = false) {
  const whole = tenths ? Math.round(t_s * 10) / 10 : Math.round(t_s);
  const hours = Math.floor(whole / 3600),
    minutes = Math.floor(whole / 60) % 60;
  const seconds = (whole % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}
