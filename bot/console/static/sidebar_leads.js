// Leads: who waits for what, until when, how to begin, and the buttons of the card.

import { h } from "./dom.js";
import { bullets, button, fold, left, tag } from "./sidebar_parts.js";
import { call } from "./sidebar_wire.js";
import { sayable } from "./sidebar_say.js";

const FEW = 6;
const LONG_QUOTE = 120;
const STAGE_TONES = { new: "wait", taken: "info", later: "idle", won: "done", closed: "done" };

// The words to begin with stand in the lead's card, and have a state of their own.
const sayKey = (key) => `${key}:say`;

// Return a lead as an item of a list; `where` is "chat" beside its customer, "page" on its own,
// "list" elsewhere.
export function leadItem(desk, lead, where) {
  const key = `lead:${lead.id}`;
  const { left_seconds, late, ...steady } = lead;
  return {
    key,
    mark: desk.mark(key, [steady, where, desk.ui(sayKey(key)).rev]),
    make: () => leadCard(desk, lead, key, where),
  };
}

function leadCard(desk, lead, key, where) {
  const ui = desk.ui(key);
  const held = lead.holder.userid && !lead.holder.me ? `在${lead.holder.name}手上` : "";
  const from = [lead.source, lead.group, lead.said_at && lead.said_at.words].filter(Boolean);
  return h(
    "article",
    { class: `card${lead.grave ? " is-grave" : ""}` },
    h(
      "div",
      { class: "card-top" },
      h("h2", {}, lead.title),
      tag(lead.stage_words, STAGE_TONES[lead.stage] || "idle"),
      lead.respond_by && h("span", { class: "tag", "data-due": lead.respond_by.iso }),
    ),
    where !== "chat" && customerLine(desk, lead),
    lead.quote && quoted(lead.quote, ui),
    h("p", { class: "small" }, from.concat(held).filter(Boolean).join(" · ")),
    lead.sleeps_until && h("p", { class: "small" }, `${lead.sleeps_until.words} 再提醒`),
    lead.score !== null && h("p", { class: "small" }, `线索 ${lead.score} 分：${lead.reasons.join("、")}`),
    lead.packet && howTo(desk, lead, ui, key, where),
    lead.acts.length > 0 && acts(desk, lead, ui, key),
    ui.panel && choices(desk, lead, ui, key),
    ui.problem && h("p", { class: "problem", role: "alert" }, ui.problem),
  );
}

function quoted(words, ui) {
  if (words.length <= LONG_QUOTE) return h("blockquote", {}, words);
  const rest = fold("看全文", Boolean(ui.whole), (is) => (ui.whole = is), h("p", { class: "words" }, words));
  return h("blockquote", {}, `${words.slice(0, LONG_QUOTE)}…`, rest);
}

function customerLine(desk, lead) {
  const go = () => desk.open({ customer: lead.customer.id });
  return h("p", { class: "whom" }, h("b", {}, lead.customer.name), button("看这位客户", "link", go));
}

function howTo(desk, lead, ui, key, where) {
  const packet = lead.packet;
  const isOpen = ui.open === undefined ? where === "page" || lead.stage === "new" || lead.grave : ui.open;
  const say = {
    key: sayKey(key), text: packet.say, sources: packet.source ? [packet.source] : [], isMain: !lead.grave,
  };
  // The words name whoever holds the lead: nobody else may send them.
  const isOwn = lead.holder.me || !lead.holder.userid;
  const canSay = isOwn && ["customer", "lead"].includes(desk.place.kind);
  const sent = () => {
    desk.toast("已发给客户");
    if (lead.acts.some((one) => one.act === "contacted")) {
      desk.tell(`api/leads/${lead.id}`, { act: "contacted" });
    }
  };
  return fold(
    "怎么接",
    isOpen,
    (is) => (ui.open = is),
    packet.steps && bullets(packet.steps, "ol"),
    packet.facts.length > 0 && h("p", { class: "label" }, "已经知道的"),
    bullets(packet.facts),
    packet.say && h("p", { class: "label" }, "可以这样开口"),
    packet.say && h("div", { class: "say" }, canSay ? sayable(desk, say, sent) : h("p", { class: "words" }, packet.say)),
    packet.avoid.length > 0 && h("p", { class: "label" }, "不要说"),
    packet.avoid.length > 0 && bullets(packet.avoid),
  );
}

function acts(desk, lead, ui, key) {
  return h(
    "div",
    { class: "keys" },
    lead.acts.map((one) =>
      button(
        one.label,
        one.primary ? "soft" : "plain",
        () => (one.choices ? ask(desk, ui, key, one) : move(desk, lead, ui, key, one.act, "")),
        {
          disabled: ui.busy,
          "data-main": one.act === "take" && "take",
          "aria-expanded": one.choices ? String(Boolean(ui.panel) && ui.panel.act === one.act) : null,
        },
      ),
    ),
  );
}

function ask(desk, ui, key, act) {
  const isOpen = ui.panel && ui.panel.act === act.act;
  Object.assign(ui, { panel: isOpen ? null : act, problem: "" });
  desk.touch(key);
}

function choices(desk, lead, ui, key) {
  const { act, ask: title, choices: offered } = ui.panel;
  const pick = (code) => move(desk, lead, ui, key, act, code);
  return h(
    "div",
    { class: "panel", role: "group", "aria-label": title },
    h("p", { class: "label" }, title),
    offered.length > FEW ? fromList(offered, ui, pick) : fromKeys(offered, ui, pick),
  );
}

function fromKeys(offered, ui, pick) {
  const keys = offered.map((one) =>
    button(one.label, "chip", () => pick(one.code), { disabled: ui.busy }));
  return h("div", { class: "chips" }, keys);
}

function fromList(offered, ui, pick) {
  const select = h(
    "select",
    { "aria-label": "请选一项", "data-focus": "choice", onchange: () => (ui.choice = select.value) },
    h("option", { value: "" }, "请选一项"),
    offered.map((one) => h("option", { value: one.code }, one.label)),
  );
  select.value = ui.choice || "";
  const sure = button("确定", "soft", () => pick(select.value), { disabled: ui.busy });
  return h("div", { class: "keys" }, select, sure);
}

async function move(desk, lead, ui, key, act, choice) {
  Object.assign(ui, { busy: true, problem: "" });
  desk.touch(key);
  try {
    const told = await call(`api/leads/${lead.id}`, { act, choice });
    Object.assign(ui, { panel: null, choice: "" });
    desk.toast(told.words);
    desk.leadIs(lead.id, told.lead);
    desk.refresh();
  } catch (error) {
    ui.problem = error.message;
    if (error.code === "changed") {
      ui.panel = null;
      desk.leadIs(lead.id, error.told.lead);
    }
  } finally {
    ui.busy = false;
    desk.touch(key);
  }
}

// Write into every clock on the page how long is left.
export function tick(now) {
  for (const clock of document.querySelectorAll("[data-due]")) {
    const rest = left(clock.dataset.due, now);
    if (clock.textContent !== rest.words) clock.textContent = rest.words;
    clock.className = `tag tone-${rest.tone}`;
  }
}
