// The settings of this screen, kept in its browser.

const KEY = "rep-monitor";
const DEFAULTS = {
  machine: null,
  language: null, // the profile's, else the browser's
  countdown_s: 10,
  guidance: "always",
  voice: "on",
  sound: "off",
  unit: null, // the profile's
  sleep_known: false, // the hint that this screen may go to sleep was read
};

export function loadSettings() {
  const chosen = { ...DEFAULTS, ...stored() };
  const query = new URLSearchParams(location.search);
  chosen.machine = query.get("machine") ?? chosen.machine;
  chosen.language = query.get("cues") ?? chosen.language;
  return chosen;
}

export function saveSettings(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch (error) {
    console.info(`settings cannot be kept: ${error.message}`); // private window, or storage is full
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch (error) {
    console.info(`settings cannot be read: ${error.message}`);
    return {};
  }
}
