// What 小安 has drafted, questions that wait in a group, and talk tracks by situation.

import { h } from "./dom.js";
import { button, tag } from "./sidebar_parts.js";
import { call, isUntold } from "./sidebar_wire.js";
import { ownWords, sayable } from "./sidebar_say.js";

const ASK_EVERY_MS = 700;
const ASK_AT_MOST_MS = 60000;

export function draftItem(desk, draft, where) {
  const key = `draft:${draft.id}`;
  const isSent = isUntold(`api/drafts/${draft.id}`);
  return {
    key,
    mark: desk.mark(key, [draft, isSent, where]),
    make: () => draftCard(desk, draft, key, isSent, where),
  };
}

function draftCard(desk, draft, key, isSent, where) {
  const asked = where === "group" ? `${draft.asker}问` : "客户问";
  const head = [
    h("div", { class: "card-top" }, h("h2", {}, asked), draft.at && h("span", { class: "when" }, draft.at.words)),
    h("blockquote", {}, draft.question),
  ];
  if (draft.state !== "waiting") {
    return h("article", { class: "card is-over" }, head, h("p", { class: "words" }, draft.text), tag(draft.state_words, "done"));
  }
  if (isSent) {
    return h("article", { class: "card" }, head, h("p", { class: "words" }, draft.text),
      tag("已发出，连上网就记下", "wait"));
  }
  const ui = desk.ui(key);
  const drop = button("没用", "plain", () => {
    ui.dropping = !ui.dropping;
    desk.touch(key);
  }, { "aria-expanded": String(Boolean(ui.dropping)), disabled: ui.busy });
  return h(
    "article",
    { class: "card" },
    head,
    h("p", { class: "label" }, "小安拟的"),
    sayable(desk, { key, text: draft.text, sources: draft.sources }, sentBy(desk, draft), [drop]),
    ui.dropping && reasons(desk, draft, ui, key),
  );
}

function sentBy(desk, draft) {
  return (text, changed) => {
    const path = `api/drafts/${draft.id}`;
    desk.toast(desk.place.kind === "group" ? "已发到群里" : "已发给客户");
    desk.tell(path, changed ? { act: "edited", text } : { act: "sent" });
  };
}

function reasons(desk, draft, ui, key) {
  const pick = async (code) => {
    Object.assign(ui, { busy: true, problem: "" });
    desk.touch(key);
    try {
      const told = await call(`api/drafts/${draft.id}`, { act: "dropped", reason: code });
      ui.dropping = false;
      desk.toast(told.words);
      desk.draftIs(draft.id, told.draft);
      desk.refresh();
    } catch (error) {
      ui.problem = error.message;
      if (error.code === "changed") desk.draftIs(draft.id, error.told.draft);
    } finally {
      ui.busy = false;
      desk.touch(key);
    }
  };
  return h(
    "div",
    { class: "panel", role: "group", "aria-label": "为什么没用" },
    h("p", { class: "label" }, "为什么没用"),
    h("div", { class: "chips" }, desk.data.drop_reasons.map((one) =>
      button(one.label, "chip", () => pick(one.code), { disabled: ui.busy }))),
  );
}

// A question in a group that 小安 has no draft for.
export function questionItem(desk, question, group) {
  const key = `question:${question.at.iso}:${question.asker_id}`;
  return {
    key,
    mark: desk.mark(key, question),
    make: () => questionCard(desk, question, group, key),
  };
}

function questionCard(desk, question, group, key) {
  const about = { group, asker: question.asker_id, at: question.at.iso };
  const gone = (act, words) => () => {
    desk.toast(words);
    desk.tell("api/questions", { ...about, act });
  };
  const drop = question.droppable && button("不用答", "plain", gone("dropped", "好，不再列出来"));
  return h(
    "article",
    { class: "card" },
    h("div", { class: "card-top" }, h("h2", {}, `${question.asker}问`),
      h("span", { class: "when" }, question.at.words)),
    h("blockquote", {}, question.text),
    h("p", { class: "small" }, question.words),
    ownWords(desk, key, "自己答", gone("sent", "已发到群里"), [drop]),
  );
}

// Ask for a draft: to the customer's last words, or to whatever is written here.
export function askItem(desk, place, lastWords) {
  const key = "ask";
  return {
    key,
    mark: desk.mark(key, lastWords),
    make: () => askCard(desk, place, lastWords, key),
  };
}

function askCard(desk, place, lastWords, key) {
  const ui = desk.ui(key);
  const hint = lastWords ? `留空就答最后一句：${lastWords}` : "把客户问的话写在这里";
  const field = h("textarea", {
    "aria-label": "客户问的话",
    "data-focus": "text",
    rows: 2,
    maxlength: 2000,
    placeholder: hint,
    value: ui.text || "",
    oninput: () => (ui.text = field.value),
  });
  return h(
    "article",
    { class: "card" },
    h("h2", {}, "请小安拟一条"),
    field,
    h("div", { class: "keys" },
      button(ui.busy ? "小安在查资料…" : "拟一条", "soft", () => ask(desk, place, ui, key), { disabled: ui.busy })),
    ui.problem && h("p", { class: "caution", role: "alert" }, ui.problem),
  );
}

async function ask(desk, place, ui, key) {
  Object.assign(ui, { busy: true, problem: "" });
  desk.touch(key);
  try {
    const { ask: number } = await call("api/ask", { ...place, text: (ui.text || "").trim() });
    const told = await answered(number);
    if (told.state === "ready") {
      ui.text = "";
      desk.draftIs(told.draft.id, told.draft);
      desk.show(`draft:${told.draft.id}`);
    } else {
      ui.problem = told.words || "小安还在查，过一会儿回来看。";
    }
  } catch (error) {
    ui.problem = error.message;
  } finally {
    ui.busy = false;
    desk.touch(key);
  }
}

async function answered(number) {
  const until = Date.now() + ASK_AT_MOST_MS;
  for (;;) {
    const told = await call(`api/ask/${number}`);
    if (told.state !== "working" || Date.now() > until) return told;
    await new Promise((again) => setTimeout(again, ASK_EVERY_MS));
  }
}

// Talk tracks stand under their situations; what fits the customer's leads comes first.
export function trackItems(desk, tracks) {
  const ui = desk.ui("tracks");
  const found = tracks.filter((one) => one.situation === ui.situation);
  const shown = found.length ? found : tracks;
  return [
    {
      key: "situations",
      mark: desk.mark("tracks", tracks.map((one) => [one.situation, one.fits])),
      make: () => situations(desk, tracks, ui, found.length > 0),
    },
    ...shown.map((track) => ({
      key: `track:${track.id}`,
      mark: desk.mark(`track:${track.id}`, [track, found.length > 0]),
      make: () => trackCard(desk, track, found.length > 0),
    })),
  ];
}

function situations(desk, tracks, ui, isChosen) {
  const names = [...new Set(tracks.map((one) => one.situation))];
  const fitting = new Set(tracks.filter((one) => one.fits).map((one) => one.situation));
  const options = (wanted) => names.filter((name) => fitting.has(name) === wanted)
    .map((name) => h("option", { value: name }, name));
  const select = h(
    "select",
    {
      "aria-label": "按情形找",
      "data-focus": "situation",
      onchange: () => {
        ui.situation = select.value;
        desk.touch("tracks");
      },
    },
    h("option", { value: "" }, `全部 ${tracks.length} 条话术`),
    fitting.size > 0 && h("optgroup", { label: "合眼下的需求" }, options(true)),
    h("optgroup", { label: "其他情形" }, options(false)),
  );
  select.value = isChosen ? ui.situation : "";
  return h("div", {}, select);
}

// What fits, or was looked for, stands open; of the rest the names are enough to choose by.
function trackCard(desk, track, isChosen) {
  const key = `track:${track.id}`;
  const ui = desk.ui(key);
  const isOpen = ui.open === undefined ? track.fits || isChosen : ui.open;
  const where = desk.place.kind;
  const sent = (text) => {
    desk.toast(where === "group" ? "已发到群里" : "已发给客户");
    desk.tell(`api/tracks/${track.id}`, { act: "sent", [where]: desk.place.id, text });
  };
  const sources = track.source ? [track.source] : [];
  const head = h("summary", {}, h("span", { class: "card-top" },
    h("h2", {}, track.name), track.fits && tag("合眼下的需求", "info")),
    h("span", { class: "small" }, track.situation));
  const card = h(
    "details",
    { class: "card track", open: isOpen },
    head,
    sayable(desk, { key, text: track.text, sources, avoid: track.avoid }, sent),
  );
  card.addEventListener("toggle", () => (ui.open = card.open));
  return card;
}
