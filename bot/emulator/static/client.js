// A member's WeCom client: the chat, and the bridge between the page in the sidebar and WeCom.

import { listen, post } from "./api.js";
import { face } from "./chat.js";
import { h } from "./dom.js";
import { fillSelect, keepEnd, sync } from "./stage_dom.js";
import { when } from "./words.js";

const { window: mine, origin } = document.body.dataset;
const frame = document.getElementById("page");
const pick = document.querySelector(".client-pick");
const body = document.querySelector(".client-talk");
const form = document.querySelector("form.say");
const speaker = document.querySelector(".client-speaker");
const problem = document.querySelector(".phone-problem");
const down = document.getElementById("down");

// Only the page in the sidebar is heard, and only it is answered.
window.addEventListener("message", async (event) => {
  if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
  const { ww: kind, id, api, params } = event.data || {};
  if (kind !== "call") return;
  let answer;
  try {
    answer = await post("/client/sdk", { window: mine, api, params });
  } catch (error) {
    answer = { errMsg: `${api}:fail ${error.message}`, errCode: 1 };
  }
  event.source.postMessage({ ww: "answer", id, answer }, origin);
});

pick.addEventListener("change", () => {
  const query = new URLSearchParams(location.search);
  const [kind, id] = pick.value.split("|");
  query.set("kind", kind);
  query.set("id", id || "");
  query.delete("open");
  if (!kind) {
    query.delete("kind");
    query.delete("id");
  }
  location.search = query.toString();
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = form.elements.text;
  const text = field.value.trim();
  if (!text) return field.focus();
  field.value = "";
  try {
    await post("/client/say", { window: mine, speaker: speaker.value, text });
    problem.hidden = true;
  } catch (error) {
    if (!field.value) field.value = text;
    problem.textContent = error.message;
    problem.hidden = false;
  }
});

function lineOf(line) {
  const isMine = line.who === "me";
  const name = line.who === "staff" ? `${line.name}（同事）` : line.name;
  return h(
    "div",
    { class: `line${isMine ? " is-mine" : ""}` },
    face(line.name, line.who === "staff"),
    h(
      "div",
      { class: "line-main" },
      h("div", { class: "line-who" }, `${isMine ? "我" : name} · ${line.when}`),
      h("div", { class: "bubble" }, line.text),
    ),
  );
}

function draw(state) {
  const chosen = state.talk ? `${state.talk.kind}|${state.talk.id}` : "";
  const talks = state.talks.map((one) => ({ id: `${one.kind}|${one.id}`, text: `${one.name}（${one.of}）` }));
  fillSelect(pick, [{ id: "", text: "不在聊天里，只开应用" }, ...talks], chosen);
  document.body.dataset.ready = "yes";
  if (!state.talk) return;
  const people = state.speakers.map((one) => ({ id: one.id, text: `替${one.name}说` }));
  fillSelect(speaker, [{ id: state.me.id, text: "我自己打字" }, ...people]);
  const lines = state.lines.map((line, place) => ({ ...line, id: place, when: when(line.at, state.now) }));
  keepEnd(body, false, () => {
    const items = lines.length ? lines : [{ id: "empty" }];
    sync(body, items, (one) => one.id, (one) =>
      one.id === "empty" ? h("p", { class: "chat-empty" }, "还没有说过话") : lineOf(one));
  });
}

listen(
  (version) => `/client/state?${new URLSearchParams({ version: String(version), window: mine })}`,
  draw,
  (is) => (down.hidden = is),
);
