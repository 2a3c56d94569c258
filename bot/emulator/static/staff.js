// The right phone: what a manager has in WeCom, what waits on top.

import { clientDrawer } from "./client_drawer.js";
import { cardOf } from "./staff_cards.js";
import { h } from "./dom.js";
import { fillSelect, sync, tabs } from "./stage_dom.js";
import { hoursBetween, left } from "./words.js";

const NOTICES_FOR_HOURS = 24;

export function staffPhone(stage) {
  const seat = document.getElementById("staff");
  const body = seat.querySelector(".phone-body");
  const pick = seat.querySelector(".pick");
  const title = seat.querySelector(".phone-title");
  const sub = seat.querySelector(".phone-sub");
  const elsewhere = seat.querySelector(".elsewhere");
  const [todoTab] = seat.querySelectorAll("[role=tab]");
  const kept = new Set();
  const leads = new Map();
  const hands = { stage, seat, words: new Map(), choices: new Map(), userid: "" };
  let tab = "todo";
  let shown = null;
  let latest = null;

  const openChat = clientDrawer();
  hands.open = (what) => openChat(shown, title.textContent, what);
  document.getElementById("chat-open").addEventListener("click", () => {
    const first = latest?.items.find((one) => one.chat && one.open);
    hands.open(first?.chat);
  });
  const change = (userid) => {
    elsewhere.hidden = true;
    stage.choose("staff", userid);
  };
  pick.addEventListener("change", () => change(pick.value));
  elsewhere.addEventListener("click", () => change(elsewhere.dataset.userid));
  tabs(seat.querySelector("[role=tablist]"), (name) => {
    tab = name;
    kept.clear();
    body.scrollTop = 0;
    stage.redraw();
  });

  // Say when another colleague got a new lead: the viewer would miss it.
  const watchOthers = (staff) => {
    for (const one of staff.list) {
      const before = leads.get(one.id);
      leads.set(one.id, one.leads);
      if (before === undefined || one.leads <= before || one.id === staff.open) continue;
      elsewhere.dataset.userid = one.id;
      elsewhere.textContent = `${one.name}那边来了新线索，点这里去看`;
      elsewhere.hidden = false;
    }
    if (elsewhere.dataset.userid === staff.open) elsewhere.hidden = true;
  };

  return (state) => {
    const staff = state.staff;
    latest = staff;
    const me = staff.list.find((one) => one.id === staff.open);
    if (shown !== staff.open) {
      kept.clear();
      body.scrollTop = 0;
    }
    shown = staff.open;
    hands.userid = staff.open;
    watchOthers(staff);
    const options = staff.list.map((one) => ({
      id: one.id,
      text: one.open ? `${one.name}(${one.open} 件待办)` : `${one.name} · ${one.role}`,
    }));
    fillSelect(pick, options, staff.open);
    title.textContent = me ? me.name : "企业微信";
    sub.textContent = me ? [me.role, me.branch].filter(Boolean).join(" · ") : "";
    todoTab.textContent = me?.open ? `待办 ${me.open}` : "待办";
    for (const item of staff.items) if (item.open) kept.add(item.id);
    const wanted = staff.items.filter(
      (item) => tab === "all" || kept.has(item.id) || isAtHand(item, state.now),
    );
    // The newest on top, and before it what cannot wait.
    const pressing = (item) => Number(Boolean(item.urgent) && kept.has(item.id));
    const ordered = wanted.reverse().sort((a, b) => pressing(b) - pressing(a));
    const items = ordered.length ? ordered : [{ id: "empty", kind: "empty" }];
    const day = state.now.slice(0, 10);
    sync(body, items.map((item) => ({ ...item, today: day })), (item) => item.id, (item) =>
      item.kind === "empty" ? nothing(tab, Boolean(me)) : cardOf(item, state.now, hands),
    );
    for (const due of body.querySelectorAll("[data-due]")) {
      const rest = left(due.dataset.due, state.now);
      due.textContent = rest.text;
      due.className = `tag due tone-${rest.tone}`;
    }
  };
}

// A customer on the line and the day's notices stand there though nothing is to be pressed.
function isAtHand(item, now) {
  if (item.kind === "talk") return true;
  return item.kind === "text" && hoursBetween(now, item.at) < NOTICES_FOR_HOURS;
}

function nothing(tab, someone) {
  const words = !someone
    ? "还没有同事。"
    : tab === "all"
      ? "还没有收到卡片和任务。"
      : "眼下没有待办。在客户的微信里说「我要找真人」，或在群里替客户问「国债怎么买」，卡片就会来。";
  return h("p", { class: "cards-empty" }, words);
}
