// Notices for the staff: the daemon's sentences about sensors, link, disk, recording and profile.

import { symbol } from "./icons.js";
import { element } from "./parts.js";

/** Sentences from the newest info, the most important first. */
export function notices(info, words) {
  const { link, storage, calibration, recording, config, range_trouble } = info ?? {};
  return [
    storage?.trouble,
    recording === "failed" ? words.text("notice.recording") : null,
    link && link.state !== "live" ? link.detail : null,
    config?.trouble,
    range_trouble,
    calibration?.drift,
    storage?.warning,
  ].filter(Boolean);
}

export function drawNotices(place, sentences) {
  const items = sentences.map((sentence) => element("li", "", "", [symbol("fault"), directed(sentence)]));
  place.hidden = !sentences.length;
  place.replaceChildren(element("ul", "", "", items));
}

/** The daemon's sentences are English on every page, so each is laid out in its own direction. */
function directed(sentence) {
  const text = element("span", "", sentence);
  text.dir = "auto";
  return text;
}
