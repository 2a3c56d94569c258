// Talking to the stage: news by a long wait, deeds by a short one.

const AGAIN_AFTER_MS = 1000;

export class Problem extends Error {}

export async function post(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("没连上演示，请看看它是不是还开着");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(answer.problem || "没办成，请再试一次");
  return answer;
}

export async function get(path, signal) {
  const response = await fetch(path, { signal, cache: "no-store" });
  if (!response.ok) throw new Problem("没拿到内容，请刷新页面再试一次");
  return response.json();
}

// Ask for `path(version)` for ever; `news` gets each answer, `alive` hears whether it is there.
// The returned function asks again at once, from the beginning.
export function listen(path, news, alive) {
  let version = -1;
  let waiting = new AbortController();
  const run = async () => {
    for (;;) {
      const mine = (waiting = new AbortController());
      try {
        const state = await get(path(version), mine.signal);
        if (mine.signal.aborted) continue;
        alive(true);
        if (state.version !== version) {
          version = state.version;
          news(state);
        }
      } catch (error) {
        if (mine.signal.aborted) continue;
        if (error.name !== "AbortError") alive(false);
        await new Promise((again) => setTimeout(again, AGAIN_AFTER_MS));
      }
    }
  };
  run();
  return () => {
    version = -1;
    waiting.abort();
  };
}
