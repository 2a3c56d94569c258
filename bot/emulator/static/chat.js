// What the customer's chat and the group's have in common.

import { h } from "./dom.js";
import { keepEnd, sync } from "./stage_dom.js";
import { isLongAfter, when } from "./words.js";

// Put a line of time before each line that comes long after the one above it.
export function withTimes(lines, now) {
  const shown = [];
  let last = null;
  for (const line of lines) {
    if (last === null || isLongAfter(line.at, last) || line.at.slice(0, 10) !== last.slice(0, 10)) {
      shown.push({ id: `at-${line.id}`, time: when(line.at, now) });
    }
    last = line.at;
    shown.push(line);
  }
  return shown;
}

export function drawTalk(body, afresh, items, make, empty) {
  keepEnd(body, afresh, () => {
    const shown = items.length ? items : [{ id: "empty", empty }];
    sync(body, shown, (item) => item.id, (item) => {
      if (item.empty) return h("p", { class: "chat-empty" }, item.empty);
      if (item.time) return h("p", { class: "chat-time" }, item.time);
      return make(item);
    });
  });
}

export function said(line) {
  if (line.image) return picture(line);
  if (line.link) {
    return h(
      "div",
      { class: "bubble" },
      h("div", {}, line.link.title || "网页"),
      line.link.text && h("div", { class: "link-words" }, line.link.text),
    );
  }
  return h("div", { class: "bubble" }, line.text);
}

function picture(line) {
  const words = () => h("div", { class: "bubble" }, "图片(已过期，看不到了)");
  if (!line.image.src) return words();
  const image = h("img", { class: "shot", src: line.image.src, alt: `${line.name}发的图片` });
  image.addEventListener("error", () => image.replaceWith(words()));
  return image;
}

const FACES = 6;

export function face(name, owner) {
  let sum = 0;
  for (const letter of name) sum += letter.codePointAt(0);
  const kind = owner ? "owner" : String(sum % FACES);
  return h("span", { class: `face face-${kind}`, "aria-hidden": "true" }, [...name][0] || "客");
}

// A form and its chips: both end in `say(text)`; the words stay where they were if it fails.
export function speaking(seat, say) {
  const form = seat.querySelector("form.say");
  const field = form.elements.text;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) {
      field.focus();
      return;
    }
    field.value = "";
    if (!(await say(text)) && !field.value) field.value = text;
  });
  for (const chip of seat.querySelectorAll(".chips button")) {
    chip.addEventListener("click", () => say(chip.textContent));
  }
}
