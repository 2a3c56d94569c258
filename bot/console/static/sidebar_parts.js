// The sidebar's own parts: tags, buttons, folds and clocks.

import { h } from "./dom.js";

export function tag(words, tone = "idle") {
  return h("span", { class: `tag tone-${tone}` }, words);
}

export function button(words, kind, deed, props = {}) {
  return h("button", { type: "button", class: kind, onclick: deed, "data-focus": words, ...props }, words);
}

export function bullets(words, list = "ul") {
  return words.length ? h(list, { class: "bullets" }, words.map((one) => h("li", {}, one))) : null;
}

// A part that opens and shuts; it stays as the reader left it.
export function fold(title, isOpen, changed, ...kids) {
  const box = h("details", { class: "fold", open: isOpen }, h("summary", {}, title), ...kids);
  box.addEventListener("toggle", () => changed(box.open));
  return box;
}

// How long is left until a moment, or by how much it is over, with the tone it deserves.
export function left(iso, now) {
  const minutes = Math.floor((Date.parse(iso) - now) / 60000);
  if (minutes < -1) return { words: `已超时 ${span(-minutes - 1)}`, tone: "harm" };
  if (minutes < 1) return { words: minutes < 0 ? "刚刚超时" : "马上到时限", tone: "harm" };
  return { words: `还剩 ${span(minutes)}`, tone: minutes <= 15 ? "wait" : "info" };
}

function span(minutes) {
  if (minutes < 60) return `${Math.max(1, minutes)} 分钟`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 24) return `${Math.floor(hours / 24)} 天`;
  return rest ? `${hours} 小时 ${rest} 分` : `${hours} 小时`;
}
