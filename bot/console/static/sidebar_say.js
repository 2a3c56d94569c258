// Words that may go to a customer: sent with one tap, or changed first and looked at.

import { h } from "./dom.js";
import { button } from "./sidebar_parts.js";
import { editOf, keepEdit } from "./sidebar_edits.js";
import { copyWords, sendWords } from "./sidebar_wecom.js";

const LOOK_AFTER_MS = 500;

// `words` are {key, text, sources, avoid, isMain}; `sent(text, changed)` is called once WeCom said
// that it was sent; `more` are further buttons. Returns the parts of a card.
export function sayable(desk, words, sent, more = []) {
  const ui = desk.ui(words.key);
  const saved = editOf(desk.place.id, words.key);
  if (saved !== null && !ui.editing) Object.assign(ui, { editing: true, text: saved });
  const inner = ui.editing && desk.place.canSend ? editor(desk, words, ui, sent) : asItIs(desk, words, ui, sent, more);
  return [...inner, ui.problem && h("p", { class: "problem", role: "alert" }, ui.problem)];
}

function asItIs(desk, words, ui, sent, more) {
  const send = () => go(desk, words, ui, words.text, false, sent);
  return [
    h("p", { class: "words" }, words.text),
    basis(words.sources),
    avoided(words.avoid),
    h(
      "div",
      { class: "keys" },
      desk.place.canSend
        ? button(sendLabel(desk, ui), ui.sent ? "plain" : "soft", send, main(ui, words))
        : button("复制", "soft", () => copy(desk, ui, words), { disabled: ui.busy }),
      desk.place.canSend &&
        button("改一改再发", "plain", () => open(desk, words, ui), { disabled: ui.busy }),
      more,
    ),
  ];
}

const main = (ui, words) => ({
  "data-main": !ui.sent && words.isMain !== false && "send", "data-focus": "send", disabled: ui.busy,
});

// What has just gone out is not asked for again by the same button.
function sendLabel(desk, ui) {
  if (ui.busy) return "正在发…";
  return ui.sent ? "已发，再发一次" : desk.sendLabel();
}

export function basis(sources) {
  if (!sources || !sources.length) return null;
  return h("p", { class: "basis" }, `依据：${sources.join("；")}`);
}

function avoided(words) {
  if (!words || !words.length) return null;
  return h("p", { class: "avoid" }, `不要：${words.join("；")}`);
}

function open(desk, words, ui) {
  Object.assign(ui, { editing: true, text: words.text, problem: "", found: [] });
  desk.touch(words.key);
  const field = document.querySelector(`[data-words="${CSS.escape(words.key)}"]`);
  if (field) field.focus();
}

function shut(desk, words, ui) {
  clearTimeout(ui.timer);
  keepEdit(desk.place.id, words.key, null);
  Object.assign(ui, { editing: false, problem: "", found: [] });
  desk.touch(words.key);
}

function editor(desk, words, ui, sent) {
  const found = h("div", { class: "found", "aria-live": "polite" });
  const send = button(ui.busy ? "正在发…" : desk.sendLabel(), "soft", () =>
    go(desk, words, ui, ui.text, ui.text.trim() !== words.text.trim(), sent), main({ busy: ui.busy }, words));
  const field = h("textarea", {
    "aria-label": "改一改再发",
    "data-focus": "text",
    "data-words": words.key,
    maxlength: 2000,
    rows: Math.min(10, Math.max(3, Math.ceil(words.text.length / 18))),
    value: ui.text,
    oninput: () => {
      ui.text = field.value;
      keepEdit(desk.place.id, words.key, ui.text);
      clearTimeout(ui.timer);
      ui.timer = setTimeout(() => look(desk, ui, found, send), LOOK_AFTER_MS);
    },
  });
  showFound(ui, found, send);
  const cancel = button("不改了", "plain", () => shut(desk, words, ui), { disabled: ui.busy });
  return [field, found, basis(words.sources), avoided(words.avoid), h("div", { class: "keys" }, send, cancel)];
}

// Say while somebody types what may not be said.
async function look(desk, ui, found, send) {
  const text = ui.text;
  if (!text.trim()) return;
  try {
    const told = await desk.check(text);
    if (ui.text !== text) return;
    ui.found = told.problems;
    showFound(ui, found, send);
  } catch {
    // It is looked at again before it goes out.
  }
}

function showFound(ui, found, send) {
  const problems = ui.found || [];
  const blocks = problems.some((one) => one.blocks);
  found.replaceChildren(
    ...problems.map((one) =>
      h(
        "p",
        { class: one.blocks ? "problem" : "caution" },
        `「${one.words}」${one.why}${one.blocks ? "，请改掉" : "，请再看一眼"}`,
      ),
    ),
  );
  send.disabled = ui.busy || blocks;
}

async function go(desk, words, ui, text, changed, sent) {
  if (ui.busy) return;
  const said = text.trim();
  if (!said) {
    ui.problem = "还没有写要发的话。";
    desk.touch(words.key);
    return;
  }
  Object.assign(ui, { busy: true, problem: "" });
  desk.touch(words.key);
  try {
    if (changed) {
      const told = await desk.check(said);
      ui.found = told.problems;
      if (!told.ok) return;
    }
    await sendWords(said, desk.place);
  } catch (error) {
    ui.problem = error.message;
    if (error.moved) desk.moved(error.moved);
    return;
  } finally {
    ui.busy = false;
    desk.touch(words.key);
  }
  ui.sent = true;
  shut(desk, words, ui);
  sent(said, changed);
}

async function copy(desk, ui, words) {
  const done = await copyWords(words.text);
  desk.toast(done ? "已复制，请到客户聊天里粘贴发送" : "没能复制，请长按文字自己选");
}

// A box for words of one's own: nothing is written yet.
export function ownWords(desk, key, label, sent, more = []) {
  const ui = desk.ui(key);
  const saved = editOf(desk.place.id, key);
  if (!ui.editing && saved === null) {
    const words = { key, text: "" };
    const write = desk.place.canSend && button(label, "plain", () => open(desk, words, ui));
    return [h("div", { class: "keys" }, write, more)];
  }
  if (!desk.place.canSend) return [];
  if (!ui.editing) Object.assign(ui, { editing: true, text: saved });
  const parts = editor(desk, { key, text: "" }, ui, sent);
  return [...parts, ui.problem && h("p", { class: "problem", role: "alert" }, ui.problem)];
}
