// Talking to the bot: each call is answered, refused in words, or lost on the way.

const page = document.body.dataset;
const PATIENCE_MS = 12000;
const SIGNED_IN_KEY = "zhilin-signing-in";
const CUT_SHORT_KEY = "zhilin-cut-short";
const LOOP_MS = 15000;

export const LOST_WORDS = "没连上，请看看网络，再点一次。";

// The bot said no; `message` is for the person, `told` holds the rest of the answer.
export class Refused extends Error {
  constructor(status, told) {
    super(told.error || "没办成，请再点一次。");
    this.status = status;
    this.code = told.code || "";
    this.told = told;
  }
}

// Nobody answered: whatever was asked may have happened, or not.
export class Lost extends Error {
  constructor() {
    super(LOST_WORDS);
  }
}

// `isRetold` marks what the page tells by itself: nobody taps anything then.
export async function call(path, body, isRetold = false) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  const posts = body !== undefined;
  let response;
  let told = null;
  try {
    response = await fetch(`${page.base}/${path}`, {
      method: posts ? "POST" : "GET",
      headers: { "X-Zhilin": "sidebar", ...(posts ? { "Content-Type": "application/json" } : {}) },
      body: posts ? JSON.stringify(body) : undefined,
      cache: "no-store",
      signal: stop.signal,
    });
    told = await response.json();
  } catch {
    // A proxy that answers with a page of its own is no answer either.
    throw new Lost();
  } finally {
    clearTimeout(timer);
  }
  if (response.status === 401 && signIn(posts && !isRetold)) return new Promise(() => {});
  if (!response.ok) throw new Refused(response.status, told || {});
  return told;
}

// Go and say who sits here; false where that was tried a moment ago and did not help.
function signIn(wasAct) {
  const last = Number(kept(sessionStorage, SIGNED_IN_KEY)) || 0;
  if (Date.now() - last < LOOP_MS) return false;
  keep(sessionStorage, SIGNED_IN_KEY, String(Date.now()));
  keep(sessionStorage, CUT_SHORT_KEY, wasAct ? "yes" : null);
  const here = encodeURIComponent(location.pathname + location.search);
  location.replace(`${page.base}/login?next=${here}`);
  return true;
}

// Tell, once, whether the sign-in came between a tap and its answer.
export function wasCutShort() {
  const was = kept(sessionStorage, CUT_SHORT_KEY) === "yes";
  if (was) keep(sessionStorage, CUT_SHORT_KEY, null);
  return was;
}

// What was sent to a customer is told until the bot has heard it, over lost networks and reloads.
const TOLD_KEY = `zhilin-told:${page.corp}:${page.agent}:${page.me}`;
const AGAIN_MS = 4000;
const OLDEST_MS = 7 * 86400000;
let untold = [];
untold = read();
let telling = false;
let timer = 0;
let heard = () => {};

// `report(what, told)` is called for each thing told: with the answer, or with what refused it.
export function listenToTold(report) {
  heard = report;
  window.addEventListener("online", flush);
  flush();
}

export function tell(path, body) {
  untold = [...read(), { path, body, at: Date.now() }];
  keep(localStorage, TOLD_KEY, JSON.stringify(untold));
  return flush();
}

export const isUntold = (path) => untold.some((one) => one.path === path);
export const countUntold = () => untold.length;

async function flush() {
  clearTimeout(timer);
  if (telling) return;
  telling = true;
  try {
    while (untold.length) {
      const [first] = untold;
      let answer;
      try {
        answer = await call(first.path, first.body, true);
      } catch (error) {
        const isLater = error instanceof Lost || error.status >= 500 || [401, 429].includes(error.status);
        if (isLater) break;
        answer = error;
      }
      untold = read().filter((one) => one.at !== first.at || one.path !== first.path);
      keep(localStorage, TOLD_KEY, JSON.stringify(untold));
      heard(first, answer);
    }
  } finally {
    telling = false;
  }
  if (untold.length) timer = setTimeout(flush, AGAIN_MS);
}

function read() {
  let found;
  try {
    found = JSON.parse(kept(localStorage, TOLD_KEY) || "[]");
  } catch {
    found = [];
  }
  const own = Array.isArray(found) ? found.filter((one) => one && one.path) : [];
  // A browser that keeps nothing has the list of this page only.
  const all = own.length ? own : untold;
  return all.filter((one) => Date.now() - one.at < OLDEST_MS);
}

export function kept(store, key) {
  try {
    return store.getItem(key);
  } catch {
    return null;
  }
}

export function keep(store, key, value) {
  try {
    if (value === null) store.removeItem(key);
    else store.setItem(key, value);
  } catch {
    // Nothing is kept, and the page goes on.
  }
}
