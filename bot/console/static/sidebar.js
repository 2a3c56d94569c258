// The sidebar: finds out whose chat it stands beside, shows what helps there, and keeps it fresh.

import { h, sync } from "./dom.js";
import { button } from "./sidebar_parts.js";
import { forgetOldEdits } from "./sidebar_edits.js";
import {
  LOST_WORDS, Lost, Refused, call, countUntold, listenToTold, tell, wasCutShort,
} from "./sidebar_wire.js";
import { currentChat, isThere } from "./sidebar_wecom.js";
import { tick } from "./sidebar_leads.js";
import {
  customerHead, customerTabs, groupHead, groupTabs, leadsHead, leadsTabs, oneLeadHead, oneLeadTabs,
} from "./sidebar_views.js";

const REFRESH_MS = 15000;
const TICK_MS = 5000;
const TOAST_MS = 3500;
const VIEWS = {
  customer: { path: (id) => `api/customer?id=${encodeURIComponent(id)}`, head: customerHead, tabs: customerTabs },
  group: { path: (id) => `api/group?id=${encodeURIComponent(id)}`, head: groupHead, tabs: groupTabs },
  lead: { path: (id) => `api/leads/${encodeURIComponent(id)}`, head: oneLeadHead, tabs: oneLeadTabs },
  leads: { path: () => "api/leads", head: leadsHead, tabs: leadsTabs },
};
const root = document.getElementById("sidebar");
const parts = frame();
const hands = new Map();
let view = "";
let shown = "";
let chosen = "";
let trouble = null;
let behind = 0;
let loading = 0;

const desk = {
  data: null,
  chat: { kind: "", id: "", canSend: false },
  // Whom words would go to. Only what stands beside its own chat can be sent: a customer's page
  // that was opened from a group must never speak into the group.
  get place() {
    const { kind, id } = desk.chat;
    return kind === view && id === shown ? desk.chat : { kind: view, id: shown, canSend: false };
  },
  ui(key) {
    if (!hands.has(key)) hands.set(key, { rev: 0 });
    return hands.get(key);
  },
  touch(key) {
    desk.ui(key).rev += 1;
    draw();
  },
  mark: (key, data) => JSON.stringify([data, desk.ui(key).rev, desk.place.canSend]),
  sendLabel: () => (desk.place.kind === "group" ? "发到群里" : "发给客户"),
  check: (text) => call("api/check", { text, place: desk.place.kind === "group" ? "group" : "customer" }),
  tell(path, body) {
    tell(path, body);
    draw();
  },
  toast(words) {
    parts.toast.textContent = words;
    parts.toast.hidden = false;
    clearTimeout(parts.toast.timer);
    parts.toast.timer = setTimeout(() => (parts.toast.hidden = true), TOAST_MS);
  },
  leadIs(id, lead) {
    const swap = (list) => list.map((one) => (one.id === id ? lead : one)).filter(Boolean);
    for (const name of ["leads", "mine", "team"]) {
      if (desk.data && desk.data[name]) desk.data[name] = swap(desk.data[name]);
    }
    if (desk.data && desk.data.lead && desk.data.lead.id === id) {
      if (lead) desk.data.lead = lead;
      else desk.open({});
    }
    draw();
  },
  draftIs(id, draft) {
    if (!desk.data || !desk.data.drafts) return;
    const others = desk.data.drafts.filter((one) => one.id !== id);
    const isNew = others.length === desk.data.drafts.length;
    if (isNew) desk.data.drafts = [draft, ...others];
    else desk.data.drafts = desk.data.drafts.map((one) => (one.id === id ? draft : one));
    draw();
  },
  show(key) {
    const card = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (card) card.scrollIntoView({ block: "nearest" });
  },
  refresh: () => load(),
  refreshKey: () => h("span", { class: "head-keys" }, backKey(), button("刷新", "link", () => load())),
  moved: (now) => setTimeout(() => begin(now), 1500),
  open(query) {
    history.pushState(null, "", `${location.pathname}?${new URLSearchParams(query)}`);
    fromAddress();
  },
};

function backKey() {
  const { kind, id } = desk.chat;
  if (kind && (kind !== view || id !== shown)) return button("回到聊天", "link", () => desk.open({}));
  return !kind && view !== "leads" ? button("全部线索", "link", () => desk.open({})) : null;
}

function frame() {
  const made = {
    down: h("p", { class: "down", role: "status", hidden: true }),
    head: h("header", { class: "head" }),
    tabs: h("div", { class: "tabs", role: "tablist", "aria-label": "看哪些" }),
    body: h("div", { class: "list", role: "tabpanel" }),
    toast: h("p", { class: "toast", role: "status", hidden: true }),
  };
  root.append(made.down, made.head, made.tabs, made.body, made.toast);
  return made;
}

function go(name, id) {
  if (name === view && id === shown) return load();
  Object.assign(desk, { data: null });
  hands.clear();
  [view, shown, chosen, trouble, behind] = [name, id, "", null, 0];
  window.scrollTo(0, 0);
  draw();
  return load();
}

async function load() {
  const mine = (loading += 1);
  const [name, id] = [view, shown];
  try {
    const data = await call(VIEWS[name].path(id));
    if (mine !== loading) return;
    desk.data = data;
    forgetLost();
    [trouble, behind] = [null, Date.now() - Date.parse(data.now)];
  } catch (error) {
    if (mine !== loading) return;
    if (!(error instanceof Lost) && !(error instanceof Refused)) throw error;
    trouble = error;
    // What was refused is not to be seen any more; what could not be asked for stays.
    if (error.status === 403 || error.status === 404) desk.data = null;
  }
  draw();
}

// What could not be asked for then can be now: nobody is told any more that the line is cut.
function forgetLost() {
  for (const ui of hands.values()) {
    if (ui.problem !== LOST_WORDS) continue;
    ui.problem = "";
    ui.rev += 1;
  }
}

function draw() {
  if (!desk.data) return drawEmpty();
  const tabs = VIEWS[view].tabs(desk, desk.data);
  const open = tabs.find((one) => one.id === chosen) || tabs.find((one) => one.first) || tabs[0];
  const mark = JSON.stringify([desk.data.customer, desk.data.group, desk.data.run, desk.data.me,
    desk.data.drafts_at, desk.data.lead && desk.data.lead.customer, desk.chat]);
  sync(parts.head, [{ key: "head", mark, make: () => VIEWS[view].head(desk, desk.data) }]);
  sync(parts.tabs, tabs.length > 1 ? tabs.map((one) => tabItem(one, open)) : []);
  parts.body.setAttribute("aria-label", open.name);
  sync(parts.body, open.items);
  oneMainKey();
  tick(Date.now() - behind);
  drawDown();
  document.body.dataset.ready = view;
}

function tabItem(one, open) {
  const isOpen = one === open;
  const words = one.count ? `${one.name} ${one.count}` : one.name;
  const pick = () => {
    chosen = one.id;
    parts.body.textContent = "";
    draw();
    window.scrollTo(0, 0);
  };
  return {
    key: one.id,
    mark: `${words}:${isOpen}`,
    make: () => button(words, "tab", pick, {
      role: "tab", "aria-selected": String(isOpen), "data-focus": one.id, onkeydown: besideTab,
    }),
  };
}

// The arrow keys move between tabs.
function besideTab(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...parts.tabs.children];
  const next = all[(all.indexOf(event.currentTarget) + step + all.length) % all.length];
  next.focus();
  next.click();
}

// One thing stands out on a view: the first card's words to send, but a lead is taken first.
function oneMainKey() {
  const seen = (one) => !one.closest("details:not([open])");
  const any = [...parts.body.querySelectorAll("[data-main]")].find(seen);
  const first = any && (any.closest("[data-key]").querySelector("[data-main=take]") || any);
  for (const one of parts.body.querySelectorAll("[data-main]")) one.classList.toggle("primary", one === first);
}

function drawEmpty() {
  sync(parts.head, []);
  sync(parts.tabs, []);
  const make = trouble ? () => troubleCard(trouble) : skeleton;
  sync(parts.body, [{ key: "whole", mark: trouble ? trouble.message : "loading", make }]);
  document.body.dataset.ready = trouble ? "trouble" : "";
  drawDown();
}

function skeleton() {
  const bar = (kind) => h("i", { class: `bone ${kind}` });
  return h("div", { class: "bones", role: "status", "aria-label": "正在打开" },
    bar("wide"), bar("short"), bar("tall"), bar("tall"));
}

function troubleCard(error) {
  const isLost = error instanceof Lost;
  const title = isLost ? "没连上" : error.status === 403 ? "这里看不了" : "没打开";
  return h("div", { class: "message" },
    h("h1", { class: "message-title" }, title),
    h("p", { class: "message-text" }, error.message),
    h("p", {}, error.status === 403 && view !== "leads"
      ? button("看我的线索", "soft primary", () => go("leads", ""))
      : button("再试一次", "soft primary", () => load())));
}

function drawDown() {
  const waiting = countUntold();
  const stale = trouble instanceof Lost ? "没连上，下面是之前的内容，连上会自己更新。" : trouble && trouble.message;
  const words = stale && desk.data
    ? stale
    : waiting ? `${waiting} 条已发出的还没记下，连上就补。` : "";
  parts.down.textContent = words;
  parts.down.hidden = !words;
}

function fromAddress() {
  const query = new URLSearchParams(location.search);
  for (const name of ["customer", "group", "lead"]) {
    const id = query.get(name);
    if (id && (name !== "lead" || /^\d{1,15}$/.test(id))) return go(name, id);
  }
  return desk.chat.kind ? go(desk.chat.kind, desk.chat.id) : go("leads", "");
}

async function begin(now) {
  const isNamed = /[?&](customer|group|lead)=/.test(location.search);
  if (!now && (isNamed || !mayStandInChat())) fromAddress();
  else if (!now) draw();
  const chat = now || (await currentChat());
  desk.chat = chat;
  if (chat.kind) await go(chat.kind, chat.id);
  else if (!view) await fromAddress();
  else draw();
}

// In an ordinary browser nobody answers for WeCom, and nobody is waited for.
const mayStandInChat = () => isThere() && (/wxwork/i.test(navigator.userAgent) || window.parent !== window);

// A page that stayed open may stand beside another chat now.
async function lookAgain() {
  if (document.hidden || !view) return;
  const chat = await currentChat();
  if (chat.kind && (chat.kind !== desk.chat.kind || chat.id !== desk.chat.id)) await begin(chat);
  else await load();
}

listenToTold((what, answer) => {
  const refused = answer instanceof Error ? answer : null;
  if (refused) desk.toast(refused.message);
  const told = refused ? refused.told : answer;
  if (told && told.draft) desk.draftIs(told.draft.id, told.draft);
  if (view) load();
});
document.addEventListener("visibilitychange", lookAgain);
window.addEventListener("online", lookAgain);
window.addEventListener("popstate", fromAddress);
setInterval(() => !document.hidden && view && load(), REFRESH_MS);
setInterval(() => tick(Date.now() - behind), TICK_MS);
forgetOldEdits();
if (wasCutShort()) desk.toast("登录过期，已经重新登录。刚才点的那一下没有办，请再点一次。");
begin();
