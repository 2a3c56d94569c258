// The script's editor: what is wrong stands at its line while one types.

import { h } from "./dom.js";
import { sync } from "./stage_dom.js";

const CHECK_AFTER_MS = 350;
const ROW = 24;
const PAD_X = 12;
const PAD_Y = 8;

export function editor(get, post, saved) {
  const drawer = document.getElementById("editor");
  const area = document.getElementById("ed-text");
  const gutter = drawer.querySelector(".ed-gutter pre");
  const marks = drawer.querySelector(".ed-marks > div");
  const list = document.getElementById("ed-problems");
  const state = document.getElementById("ed-state");
  const save = document.getElementById("ed-save");
  const opener = document.getElementById("edit-open");
  const measure = document.createElement("canvas").getContext("2d");
  let onDisk = null;
  let timer = 0;
  let checking = null;
  let problems = [];
  let saving = false;

  const tell = (words, tone = "") => {
    state.textContent = words;
    state.className = `ed-state${tone ? ` is-${tone}` : ""}`;
  };

  const scrolled = () => {
    gutter.style.transform = `translateY(${-area.scrollTop}px)`;
    marks.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
  };

  const drawLines = () => {
    const count = area.value.split("\n").length;
    if (gutter.dataset.count !== String(count)) {
      gutter.dataset.count = String(count);
      gutter.textContent = Array.from({ length: count }, (_, n) => n + 1).join("\n");
    }
  };

  const drawMarks = () => {
    const lines = area.value.split("\n");
    measure.font = getComputedStyle(area).font;
    const at = new Map();
    for (const one of problems) if (!at.has(one.line)) at.set(one.line, one);
    marks.replaceChildren(
      ...[...at.values()].map((one) => {
        const words = h("span", {}, `← ${one.what}`);
        words.style.left = `${PAD_X + measure.measureText(lines[one.line - 1] || "").width + 12}px`;
        const mark = h("div", { class: "ed-mark" }, words);
        mark.style.top = `${PAD_Y + (one.line - 1) * ROW}px`;
        return mark;
      }),
    );
  };

  const go = (line) => {
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1] || "").length);
    area.scrollTop = Math.max(0, (line - 4) * ROW);
  };

  const showProblems = (found) => {
    problems = found;
    drawMarks();
    sync(list, found.map((one, n) => ({ ...one, n })), (one) => one.n, (one) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", onclick: () => go(one.line) },
          h("b", {}, `第 ${one.line} 行${one.key ? ` · ${one.key}` : ""} `),
          `${one.what} `,
          h("span", { class: "mend" }, one.mend),
        ),
      ),
    );
  };

  const changed = () => area.value !== onDisk;
  const ready = () => {
    save.disabled = saving || onDisk === null || !changed() || problems.length > 0;
  };

  const check = async () => {
    checking?.abort();
    const mine = (checking = new AbortController());
    try {
      const answer = await post("/desk/check", { text: area.value }, mine.signal);
      if (mine.signal.aborted) return;
      showProblems(answer.problems);
      if (answer.problems.length) tell(`有 ${answer.problems.length} 处要改，改好才能保存`, "bad");
      else tell(changed() ? "没有问题，可以保存" : "没有问题", "good");
    } catch (error) {
      if (error.name !== "AbortError") tell(error.message, "bad");
    }
    ready();
  };

  area.addEventListener("input", () => {
    drawLines();
    drawMarks();
    tell("正在检查");
    save.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(check, CHECK_AFTER_MS);
  });
  area.addEventListener("scroll", scrolled);

  save.addEventListener("click", async () => {
    const text = area.value;
    saving = true;
    ready();
    tell("正在保存");
    try {
      const answer = await post("/desk/save", { text });
      showProblems(answer.problems);
      if (answer.published) {
        onDisk = text;
        tell(answer.changed || "已保存，新版本生效", "good");
        saved();
      } else tell("没有生效，在跑的还是上一个好的版本", "bad");
    } catch (error) {
      tell(error.message, "bad");
    }
    saving = false;
    ready();
  });

  const open = async () => {
    drawer.hidden = false;
    area.focus();
    if (onDisk !== null && changed()) return;
    tell("正在打开");
    try {
      const file = await get("/desk/file");
      onDisk = file.text;
      area.value = file.text;
      area.setSelectionRange(0, 0);
      area.scrollTop = 0;
      drawLines();
      scrolled();
      await check();
    } catch (error) {
      tell(error.message, "bad");
    }
  };
  const close = () => {
    drawer.hidden = true;
    opener.focus();
  };
  opener.addEventListener("click", open);
  document.getElementById("edit-close").addEventListener("click", close);
  drawer.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!save.disabled) save.click();
    }
  });
}
