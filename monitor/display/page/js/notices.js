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

export function drawNotices(list, sentences) {
  list.hidden = !sentences.length;
  list.replaceChildren(...sentences.map((sentence) => element("li", "", "", [symbol("fault"), sentence])));
}
