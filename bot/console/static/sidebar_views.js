// The three views: beside a customer's chat, beside a group's, and a member's own leads.

import { h } from "./dom.js";
import { button, fold, tag } from "./sidebar_parts.js";
import { kfItems } from "./sidebar_kf.js";
import { leadItem } from "./sidebar_leads.js";
import { askItem, draftItem, questionItem, trackItems } from "./sidebar_drafts.js";

const CONSENT_TONES = { given: "done", refused: "harm", paused: "wait", unknown: "wait" };

const SHOWN_TAGS = 8;

const item = (desk, key, data, make) => ({ key, mark: desk.mark(key, data), make });
const note = (desk, key, words) => item(desk, key, words, () => h("p", { class: "empty" }, words));

export function customerTabs(desk, data) {
  const leads = data.leads.map((one) => leadItem(desk, one, "chat"));
  const grave = leads.filter((_, place) => data.leads[place].grave);
  const other = leads.filter((_, place) => !data.leads[place].grave);
  const kf = kfItems(desk, data.customer);
  const drafts = data.drafts.map((one) => draftItem(desk, one, "customer"));
  const todo = [...grave, ...kf, ...drafts, ...other];
  if (!todo.length) {
    todo.push(note(desk, "nothing", "眼下没有要办的。客户一问，线索和拟好的话就会出现在这里。"));
  }
  if (data.can_ask) todo.push(askItem(desk, { customer: data.customer.id }, data.last_words));
  const waiting = data.leads.length + data.drafts.filter((one) => one.state === "waiting").length;
  return [
    { id: "todo", name: "待办", count: waiting, items: todo },
    { id: "tracks", name: "话术", items: tracks(desk, data) },
    { id: "who", name: "客户", items: about(desk, data) },
  ];
}

function tracks(desk, data) {
  if (data.tracks.length) return trackItems(desk, data.tracks);
  return [note(desk, "no-tracks", "还没有话术。写在 sop/talk 里、过了审批，就会出现在这里。")];
}

export function customerHead(desk, data) {
  const { customer } = data;
  const managers = customer.managers.map((one) => (one.me ? "您" : one.name)).join("、");
  return h(
    "div",
    {},
    h("div", { class: "head-row" }, h("h1", {}, customer.name), desk.refreshKey()),
    managers && h("p", { class: "small" }, `由${managers}维护`),
    h("p", { class: "tags" },
      tag(customer.risk.words, customer.risk.valid ? "done" : "wait"),
      tag(customer.consent.words, CONSENT_TONES[customer.consent.state]),
      tags(customer.tags)),
    customer.kf && !(customer.kf.acts || []).length && h("p", { class: "notice tone-info" }, customer.kf.words),
    customer.notes.filter((one) => one.tone !== "quiet").map((one) =>
      h("p", { class: `notice tone-${one.tone}` }, one.words)),
  );
}

// A few tell who somebody is; the rest stands behind a tab.
function tags(all) {
  const more = all.length - SHOWN_TAGS;
  return [...all.slice(0, SHOWN_TAGS).map((one) => tag(one)), more > 0 && tag(`还有 ${more} 个标签`)];
}

function about(desk, data) {
  const { customer, runs, turns } = data;
  return [
    item(desk, "facts", customer, () => facts(customer)),
    item(desk, "runs", runs, () => section("剧本走到哪了", runs.length
      ? runs.map(runCard)
      : h("p", { class: "empty" }, "没有在走的剧本。"))),
    item(desk, "turns", turns, () => section("最近说过的话", turns.length
      ? h("div", { class: "turns" }, turns.map(turn))
      : h("p", { class: "empty" }, "还没有一对一说过话。"))),
  ];
}

const section = (title, ...kids) => h("section", { class: "card" }, h("h2", {}, title), ...kids);

function facts(customer) {
  const quiet = customer.notes.filter((one) => one.tone === "quiet");
  const rows = customer.products.map((one) => [h("dt", {}, one.name), h("dd", {}, one.value)]);
  return section(
    "这位客户",
    rows.length > 0 && h("dl", { class: "facts" }, rows),
    customer.tags.length > SHOWN_TAGS && h("p", { class: "tags" }, customer.tags.map((one) => tag(one))),
    quiet.map((one) => h("p", { class: "small" }, one.words)),
    !rows.length && !quiet.length && h("p", { class: "empty" }, "行里还没有更多资料。"),
  );
}

function runCard(run) {
  const next = run.next ? `下一条：${run.next.words} ${run.next_words}` : "后面没有安排了";
  return h("div", { class: "run" },
    h("p", { class: "card-top" }, h("b", {}, run.name), tag(run.state_words, run.state_words === "进行中" ? "info" : "wait")),
    h("p", { class: "small" }, `${run.position}；${next}`));
}

function turn(one) {
  return h("div", { class: `turn is-${one.side}` },
    h("p", { class: "small" }, [one.who, one.at && one.at.words].filter(Boolean).join(" · ")),
    h("p", { class: "said" }, one.text));
}

export function groupTabs(desk, data) {
  const drafts = new Map(data.drafts.map((one) => [one.id, one]));
  const asked = data.questions.map((one) =>
    one.draft !== null && drafts.has(one.draft)
      ? draftItem(desk, drafts.get(one.draft), "group")
      : questionItem(desk, one, data.group.id));
  const known = new Set(data.questions.map((one) => one.draft));
  const rest = data.drafts.filter((one) => !known.has(one.id)).map((one) => draftItem(desk, one, "group"));
  const leads = (grave) =>
    data.leads.filter((one) => one.grave === grave).map((one) => leadItem(desk, one, "list"));
  const todo = [...leads(true), ...asked, ...rest, ...leads(false)];
  if (!todo.length) {
    todo.push(note(desk, "nothing", "没有人在等回答。群里有人问，问题和拟好的话就会出现在这里。"));
  }
  if (data.can_ask) todo.push(askItem(desk, { group: data.group.id }, ""));
  const waiting = asked.length + rest.length + data.leads.length;
  return [
    { id: "todo", name: "待办", count: waiting, items: todo },
    { id: "today", name: "今天", count: data.today.length, items: today(desk, data) },
    { id: "tracks", name: "话术", items: tracks(desk, data) },
  ];
}

export function groupHead(desk, data) {
  const { group, run } = data;
  const owner = group.owner.me ? "您是群主" : `群主 ${group.owner.name}`;
  return h(
    "div",
    {},
    h("div", { class: "head-row" }, h("h1", {}, group.name), desk.refreshKey()),
    h("p", { class: "small" }, `客户 ${group.customers} 人 · 同事 ${group.staff} 人 · ${owner}`),
    h("p", { class: "tags" },
      run && tag(`${run.name} ${run.position}`, "info"),
      tags(group.tags)),
  );
}

function today(desk, data) {
  const { silent } = data;
  const steps = data.today.map((step, place) =>
    item(desk, `step:${place}`, step, () => stepCard(desk, step, place)));
  if (!steps.length) steps.push(note(desk, "no-steps", "今天剧本里没有要发的。"));
  const more = silent.more ? `等 ${silent.people.length + silent.more} 位` : "";
  const names = silent.people.join("、") + more;
  return [
    ...steps,
    item(desk, "silent", silent, () =>
      section("谁还没说过话", h("p", {}, silent.words), names && h("p", { class: "small" }, names))),
  ];
}

function stepCard(desk, step, place) {
  const ui = desk.ui(`step:${place}`);
  const tones = { waiting: "wait", confirmed: "done", failed: "harm" };
  return h(
    "article",
    { class: "card" },
    h("div", { class: "card-top" }, h("h2", {}, step.name), tag(step.state_words, tones[step.state] || "idle")),
    h("p", { class: "small" }, `${step.script} · ${step.window}`),
    step.state === "waiting" && h("p", { class: "small" },
      step.mine ? "请在群发任务或收到的卡片上点发送。" : "等群主点发送。"),
    step.text && fold("看内容", Boolean(ui.open), (is) => (ui.open = is), h("p", { class: "words" }, step.text)),
  );
}

export function leadsTabs(desk, data) {
  const list = (leads, words) => {
    if (!leads.length) return [note(desk, "nothing", words)];
    const items = leads.map((one) => leadItem(desk, one, "list"));
    return leads.length < data.most
      ? items
      : [...items, note(desk, "more", `只列了最先到期的 ${leads.length} 条，办掉几条，后面的就上来。`)];
  };
  const mine = list(data.mine, "您手上没有线索。客户一问，线索就会派到您这里，卡片也会来。");
  const tabs = [{ id: "mine", name: "我的线索", count: data.mine.length, items: mine }];
  if (data.team.length) {
    const first = !data.mine.length;
    tabs.push({ id: "team", name: "团队", count: data.team.length, items: list(data.team, ""), first });
  }
  return tabs;
}

export function leadsHead(desk, data) {
  return h(
    "div",
    {},
    h("div", { class: "head-row" }, h("h1", {}, "我的线索"), desk.refreshKey()),
    h("p", { class: "small" }, [data.me.name, data.me.role, data.me.branch].filter(Boolean).join(" · ")),
    data.drafts_at.map((one) => draftsAt(desk, one)),
  );
}

function draftsAt(desk, one) {
  const look = button("去看", "link", () => desk.open({ [one.kind]: one.id }), { "aria-label": `去看${one.name}` });
  const words = h("span", {}, `${one.name}：${one.count} 条拟好的话等您发`);
  return h("p", { class: "notice whom tone-wait" }, words, look);
}

export function oneLeadTabs(desk, data) {
  return [{ id: "lead", name: "线索", items: [leadItem(desk, data.lead, "page")] }];
}

export function oneLeadHead(desk, data) {
  return h("div", {},
    h("div", { class: "head-row" }, h("h1", {}, data.lead.customer.name), desk.refreshKey()));
}
