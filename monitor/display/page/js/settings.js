// What this tablet's owner chose; kept in the browser, valid for this screen only.

const KEY = "rep-monitor";
const DEFAULTS = { machine: null, language: null, countdown_s: 10, guidance: "always", voice: "on" };

export function loadSettings() {
  const chosen = { ...DEFAULTS, ...stored() };
  const query = new URLSearchParams(location.search);
  chosen.machine = query.get("machine") ?? chosen.machine;
  chosen.language = query.get("cues") ?? chosen.language ?? navigator.language.slice(0, 2);
  return chosen;
}

export function saveSettings(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch (error) {
    console.info(`settings are not kept: ${error.message}`); // private window, or storage is full
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch (error) {
    console.info(`settings begin anew: ${error.message}`);
    return {};
  }
}
