// What a screen on a wall needs of its browser: it stays on, fills the screen, and waits for a server that is away.

const HIDDEN_CHROME = "(display-mode: fullscreen), (display-mode: standalone)"; // installed, or a browser's kiosk mode

/** Keeps the screen on where the browser allows it; calls `refused` with the reason where it does not. */
export async function stayAwake(refused) {
  if (document.visibilityState !== "visible") return;
  if (!navigator.wakeLock) return refused(isSecureContext ? "browser" : "insecure"); // only over TLS, or on loopback
  try {
    await navigator.wakeLock.request("screen");
  } catch (error) {
    console.info(`the screen may sleep: ${error.message}`);
    refused("browser");
  }
}

/** Shows the button where a touch can fill the screen. */
export function setUpFullscreen(button) {
  const draw = () => {
    const filled = Boolean(document.fullscreenElement);
    button.hidden = !document.fullscreenEnabled || (!filled && matchMedia(HIDDEN_CHROME).matches);
    button.setAttribute("aria-pressed", String(filled));
  };
  button.addEventListener("click", () =>
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
  );
  document.addEventListener("fullscreenchange", draw);
  draw();
}

/** Shows the hint that this screen may go to sleep, until a person has read it. */
export function hintAtSleep(hint, reason, { words, settings, save }) {
  if (settings.sleep_known) return;
  hint.querySelector("p").textContent = words.text(`sleep.${reason}`);
  hint.hidden = false;
  hint.querySelector("button").onclick = () => {
    hint.hidden = true;
    settings.sleep_known = true;
    save(settings);
  };
}

/** From now on, a screen that cannot reach the server waits for it. Only over TLS, or on loopback. */
export async function waitForServer() {
  if (document.readyState !== "complete") await new Promise((loaded) => addEventListener("load", loaded)); // to paint
  try {
    await navigator.serviceWorker?.register("worker.js", { updateViaCache: "none" });
  } catch (error) {
    console.info(`a reload needs the server: ${error.message}`);
  }
}
