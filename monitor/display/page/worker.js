// Gives the waiting page where the server cannot be reached, in place of the browser's own error page.
//
// Everything else always comes from the server, so that an upgrade reaches a screen with its next load. SHELL has the
// files of the waiting page, and their version: a new one replaces the cache.

importScripts("shell.js"); // self.SHELL = {version, files}

const CACHE = `rep-monitor-${self.SHELL.version}`;
const KEPT = new Set(self.SHELL.files.map((path) => new URL(path, self.registration.scope).pathname));
const ANSWER_MS = 4000;
const GATEWAY_ERRORS = 502; // and above: a proxy answers for a server that is not there
const waiting = new Set(); // the ids of the pages that show it

addEventListener("install", (event) => event.waitUntil(keep()));
addEventListener("activate", (event) => event.waitUntil(begin()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(page(request, event.resultingClientId));
  else if (KEPT.has(new URL(request.url).pathname)) event.respondWith(file(request, event.clientId));
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...KEPT].map((path) => new Request(path, { cache: "reload" })));
  await self.skipWaiting();
}

async function begin() {
  const old = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function page(request, client) {
  try {
    const answer = await Promise.race([fetch(request), late()]);
    if (answer.status < GATEWAY_ERRORS) return answer;
  } catch (error) {
    console.info(`the server does not answer: ${error.message}`);
  }
  waiting.add(client);
  return kept("waiting.html");
}

async function file(request, client) {
  if (waiting.has(client)) return kept(request.url);
  try {
    return await fetch(request);
  } catch {
    return kept(request.url);
  }
}

async function kept(url) {
  return (await caches.match(url, { ignoreSearch: true })) ?? Response.error();
}

function late() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS} ms`)), ANSWER_MS));
}
