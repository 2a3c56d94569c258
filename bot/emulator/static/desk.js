// The director's desk: clock, calendar, feed. The editor is its own file.

import { get, listen, post } from "./api.js";
import { h } from "./dom.js";
import { sync, tabs } from "./stage_dom.js";
import { editor } from "./editor.js";
import { clock, date } from "./words.js";

const STATES = {
  planned: ["计划", "idle"],
  queued: ["将发", "info"],
  waiting: ["等确认", "wait"],
  confirmed: ["已发", "done"],
  skipped: ["跳过", "idle"],
  failed: ["失败", "harm"],
};
const PUSHING = {
  hour: "正在往后走 1 小时",
  step: "正在走到下一步",
  day: "正在走到下一天",
  end: "正在走到结束，要等一会儿",
};
const COUNTS = { answered: "已答", handed_over: "转真人", leads: "线索", drafts: "拟好的回话", confirmed: "群主已发" };

export function desk(begun) {
  const note = document.getElementById("clock-note");
  const keys = [...document.querySelectorAll("[data-push]")];
  const grid = document.getElementById("cal");
  const feed = document.getElementById("feed");
  const dayBox = document.getElementById("day");
  let picked = "";
  let latest = null;
  let busy = false;

  const show = tabs(document.querySelector(".feedbox [role=tablist]"), (name) => {
    feed.hidden = name !== "feed";
    dayBox.hidden = name !== "day";
  });

  const pushed = async (push) => {
    if (busy) return;
    busy = true;
    for (const key of keys) key.disabled = true;
    note.className = "clock-note is-busy";
    note.textContent = PUSHING[push];
    const began = performance.now();
    const ticking = setInterval(() => {
      note.textContent = `${PUSHING[push]}，已 ${Math.round((performance.now() - began) / 1000)} 秒`;
    }, 1000);
    try {
      const state = await post("/desk/clock", { push });
      if (state.version >= (latest?.version ?? -1)) draw(state);
      note.className = "clock-note";
      note.textContent = `现在是 ${date(latest.now)} ${clock(latest.now)}`;
    } catch (error) {
      note.className = "clock-note is-bad";
      note.textContent = error.message;
    } finally {
      clearInterval(ticking);
      busy = false;
      for (const key of keys) key.disabled = false;
    }
  };
  for (const key of keys) key.addEventListener("click", () => pushed(key.dataset.push));

  const drawDay = () => {
    const day = latest.days.find((one) => one.date === picked);
    if (!day) {
      dayBox.replaceChildren(h("p", { class: "day-empty" }, "点日历上的一天，看那天发什么、为什么。"));
      return;
    }
    const name = `${date(day.date)} ${day.weekday}${day.day ? ` · 第 ${day.day} 天` : ""}`;
    const items = day.items.map(stepOf);
    const rest = h("p", { class: "day-empty" }, day.rest ? "这天休息，不发。" : "这天没有安排。");
    dayBox.replaceChildren(h("h3", {}, name), ...(items.length ? items : [rest]));
  };

  const drawCalendar = (state) => {
    document.getElementById("cal-title").textContent = state.script?.name || "剧本日历";
    document.getElementById("ed-name").textContent = state.script?.name || "剧本";
    const lead = state.days.length ? (new Date(`${state.days[0].date}T00:00:00Z`).getUTCDay() + 6) % 7 : 0;
    const blanks = Array.from({ length: lead }, (_, n) => ({ date: `blank-${n}`, blank: true }));
    const cells = [...blanks, ...state.days.map((day) => ({ ...day, picked: day.date === picked }))];
    const shown = cells.length ? cells : [{ date: "none", none: true }];
    sync(grid, shown, (day) => day.date, (day) => {
      if (day.none) return h("p", { class: "cal-empty" }, "这个群没有在跑剧本。到中间换一个群看看。");
      if (day.blank) return h("span", { "aria-hidden": "true" });
      return dayCell(day, () => {
        picked = day.date;
        show("day");
        draw(latest);
      });
    });
  };

  const drawFeed = (state) => {
    const items = [...state.feed].sort((a, b) => b.id - a.id);
    const shown = items.length ? items : [{ id: "none" }];
    sync(feed, shown, (item) => item.id, (item) =>
      item.id === "none"
        ? h("li", { class: "feed-empty" }, "还没有事发生。点「下一步」，剧本就往下走。")
        : h("li", { class: `is-${item.tone}` }, h("span", {}, item.text)),
    );
  };

  const draw = (state) => {
    if (latest === null) begun(state.group?.id);
    latest = state;
    const today = state.days.find((day) => day.today);
    document.getElementById("clock-time").textContent = clock(state.now);
    document.getElementById("clock-day").textContent =
      `${date(state.now)}${today ? ` ${today.weekday}${today.day ? ` · 第 ${today.day} 天` : ""}` : ""}`;
    if (!picked && today) picked = today.date;
    drawCalendar(state);
    drawDay();
    drawFeed(state);
    drawCounts(state.counts || {});
    if (!busy && !note.textContent) note.textContent = "点「下一步」，走到剧本里下一件要做的事";
  };

  const again = listen((version) => `/desk/state?version=${version}`, draw, () => {});
  editor(get, post, again);
  return (id) => {
    post("/desk/group", { id }).then(again, (error) => {
      note.className = "clock-note is-bad";
      note.textContent = error.message;
    });
  };
}

function dayCell(day, pick) {
  const [first, ...more] = day.items;
  const number = Number(day.date.slice(8, 10));
  const shown = number === 1 ? date(day.date) : String(number);
  const [word, tone] = first ? STATES[first.state] : day.rest ? ["休息", "idle"] : ["", "idle"];
  const label = [
    `${date(day.date)} ${day.weekday}`,
    day.today && "今天",
    ...day.items.map((item) => `${item.kind} ${STATES[item.state][0]}`),
    !first && day.rest && "休息",
  ];
  return h(
    "button",
    {
      type: "button",
      class: `cal-day${day.today ? " is-today" : ""}${first ? "" : " is-rest"}`,
      "aria-pressed": String(day.picked),
      "aria-label": label.filter(Boolean).join(","),
      title: first ? `${first.kind} ${first.time} ${first.title}` : "",
      onclick: pick,
    },
    h("b", { class: number === 1 ? "is-month" : "" }, shown),
    word && h("span", { class: first ? `tag tone-${tone}` : "" }, more.length ? `${word} +${more.length}` : word),
  );
}

function stepOf(item) {
  const [word, tone] = STATES[item.state];
  return h(
    "article",
    {},
    h(
      "div",
      { class: "day-head" },
      h("b", {}, `${item.time} ${item.kind}`),
      h("span", { class: `tag tone-${tone}` }, word),
      h("span", {}, item.way),
    ),
    item.title && h("div", {}, item.title),
    item.reason && h("div", { class: "day-why" }, item.reason),
    item.text && h("div", { class: "day-text" }, item.text),
  );
}

function drawCounts(counts) {
  const box = document.getElementById("counts");
  const known = Object.entries(COUNTS).filter(([key]) => key in counts);
  sync(box, known.map(([key, word]) => ({ key, word, n: counts[key] })), (one) => one.key, (one) =>
    h("span", {}, `${one.word} `, h("b", {}, String(one.n))),
  );
}
