// The controls of a recording that is played on the page: pause, time, speed. Only `replay --page` has them.

import { inOrder } from "./direction.js";
import { element } from "./parts.js";
import { clock, json } from "./words.js";

const SPEEDS = ["0.25", "0.5", "1", "2", "4"];
const FOLLOW_MS = 500; // the other page has the same controls

/** Adds the controls at the end of the page, and follows the recording. */
export function setUpPlayback(words, link) {
  const style = element("link");
  Object.assign(style, { rel: "stylesheet", href: "playback.css" });
  document.head.append(style);
  const toggle = element("button", "play");
  const time = element("input");
  Object.assign(time, { type: "range", min: 0, step: 0.1 });
  time.setAttribute("aria-label", words.text("playback.time"));
  const place = element("output", "place");
  const speed = element("select");
  speed.setAttribute("aria-label", words.text("playback.speed"));
  speed.append(...SPEEDS.map((value) => new Option(inOrder(`${value} ×`), value)));
  const bar = element("section", "playback", "", [toggle, time, place, speed]);
  bar.setAttribute("aria-label", words.text("playback"));
  document.body.append(bar);
  document.body.dataset.playback = "true";
  let state = { playing: true };
  let dragging = false;

  let asked = Promise.resolve();
  let caughtUp = false;

  /** One question after the other, so that the server gets them in the order of the touches. */
  function ask(query) {
    asked = asked.then(() => askNow(query));
    return asked;
  }

  async function askNow(query) {
    try {
      const answer = await fetch(`playback?${query}`, { method: "POST" });
      if (answer.ok) show(await answer.json());
    } catch (error) {
      console.info(`no answer: ${error.message}`); // the page itself says that the connection is gone
    }
  }

  function show(now) {
    state = now;
    toggle.textContent = words.text(now.playing ? "playback.pause" : "playback.play");
    speed.value = String(now.speed);
    if (dragging) return;
    time.max = now.length_s;
    time.value = now.at_s;
    write(now.at_s);
  }

  function write(at_s) {
    const said = `${clock(at_s)} / ${clock(state.length_s)}`;
    place.textContent = inOrder(said);
    time.setAttribute("aria-valuetext", said);
  }

  toggle.addEventListener("click", () => ask(`playing=${!state.playing}`));
  speed.addEventListener("change", () => ask(`speed=${speed.value}`));
  time.addEventListener("input", () => {
    dragging = true;
    write(Number(time.value));
  });
  time.addEventListener("change", async () => {
    caughtUp = link.subscribed > 0; // what comes now shows also what had happened before
    await ask(`at_s=${time.value}`);
    dragging = false;
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, button, dialog");
    if (event.key !== " " || typing) return;
    event.preventDefault();
    ask(`playing=${!state.playing}`);
  });

  /** Once subscribed, a page asks for what had happened before: that is what a seek to the same place gives. */
  function catchUp() {
    if (caughtUp || !link.subscribed) return;
    caughtUp = true;
    ask(`at_s=${state.at_s}`);
  }

  const follow = () =>
    json("playback.json")
      .then(show, (error) => console.info(`the recording is gone: ${error.message}`))
      .then(catchUp);
  setInterval(() => document.visibilityState === "visible" && follow(), FOLLOW_MS);
  return follow();
}
