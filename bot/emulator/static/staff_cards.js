// One card for each kind of thing a manager holds in his hands.

import { h } from "./dom.js";
import { when } from "./words.js";

const FROM = {
  lead: "应用消息 · 线索",
  draft: "聊天侧边栏 · 拟好的回话",
  step: "聊天侧边栏 · 今天的话",
  welcome: "应用消息 · 入群欢迎语",
  card: "应用消息",
  text: "应用消息 · 通知",
  task: "群发助手 · 群发任务",
  talk: "微信客服 · 客户在线",
};
const DEADLINES = new Set(["请在此前回", "最晚"]);
const SENDING = new Set(["draft", "step"]);

export function cardOf(item, now, hands) {
  const inner = item.kind === "task" ? task : item.kind === "talk" ? talk : message;
  const closed = !item.open && item.kind !== "text" && item.kind !== "talk";
  const card = h(
    "article",
    { class: `card${item.urgent ? " is-urgent" : ""}${closed ? " is-closed" : ""}` },
    h(
      "div",
      { class: "card-from" },
      h("span", {}, FROM[item.kind]),
      h("span", {}, when(item.at, now)),
    ),
  );
  card.append(...inner(item, now, hands, card).filter(Boolean));
  return card;
}

function message(item, now, hands, card) {
  if (item.kind === "text") return [h("p", { class: "card-text" }, item.text)];
  const canSend = SENDING.has(item.kind) && item.open;
  return [
    h("h3", {}, item.page ? opened(item, hands) : item.title),
    item.desc && h("p", { class: "card-desc" }, item.desc),
    rows(item),
    canSend ? draftBox(item, hands) : quote(item),
    item.open && !SENDING.has(item.kind) && choice(item, hands),
    item.open ? keys(item, hands, card) : ended(item.replaced || "已处理"),
  ];
}

// A tap on a card opens its page, in WeCom and here.
function opened(item, hands) {
  const go = () => hands.open({ open: item.page });
  return h("button", { type: "button", class: "card-open", onclick: go }, item.title);
}

function rows(item) {
  if (!item.rows.length) return null;
  const list = h("dl", { class: "card-rows" });
  for (const row of item.rows) {
    const ticking = DEADLINES.has(row.name) && item.due && item.open;
    const rest = ticking && h("span", { "data-due": item.due });
    list.append(h("dt", {}, row.name), h("dd", {}, row.value, ticking && " ", rest));
  }
  return list;
}

function quote(item) {
  return item.quote ? h("blockquote", { class: "card-quote" }, item.quote) : null;
}

function ended(words, tone = "done") {
  return h("div", { class: "card-keys" }, h("span", { class: `tag tag-long tone-${tone}` }, words));
}

function draftBox(item, hands) {
  return textBox(item.id, item.quote, "发之前可以改", hands);
}

function textBox(id, words, label, hands) {
  return h("textarea", {
    "aria-label": label,
    maxlength: 1000,
    rows: 3,
    value: hands.words.get(id) ?? words,
    oninput: (event) => hands.words.set(id, event.target.value),
  });
}

function choice(item, hands) {
  if (!item.choice) return null;
  const { key, title, options } = item.choice;
  const select = h(
    "select",
    { onchange: () => hands.choices.set(item.id, select.value) },
    h("option", { value: "" }, "请选一位同事"),
    options.map((one) => h("option", { value: one.id }, one.text)),
  );
  select.value = hands.choices.get(item.id) ?? "";
  select.dataset.question = key;
  return h("label", { class: "card-choice" }, title, select);
}

function keys(item, hands, card) {
  if (item.pressed) return h("div", { class: "card-keys" }, h("span", { class: "card-note" }, "已点，正在更新卡片"));
  const row = h("div", { class: "card-keys" });
  for (const button of item.buttons) {
    const sends = SENDING.has(item.kind) && button.key.endsWith(":sent");
    const main = button === item.buttons[0];
    row.append(
      h(
        "button",
        {
          type: "button",
          class: main ? "primary" : "second",
          onclick: () => (sends ? sendDraft : press)(item, button, hands, card, row),
        },
        sends ? "发送" : button.text,
      ),
    );
  }
  if (item.chat) row.append(chatKey(item, hands));
  if (SENDING.has(item.kind)) row.append(h("span", { class: "card-note" }, "点了才发，以您的名义"));
  return row;
}

function chatKey(item, hands) {
  const open = () => hands.open(item.chat);
  return h("button", { type: "button", class: "plain", onclick: open }, "到聊天里");
}

async function once(row, deed) {
  const buttons = [...row.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  if (!(await deed())) for (const button of buttons) button.disabled = false;
}

function press(item, button, hands, card, row) {
  const select = card.querySelector("select[data-question]");
  const selected = select?.value ? { [select.dataset.question]: [select.value] } : {};
  return once(row, () =>
    hands.stage.act(hands.seat, "staff/press", {
      userid: hands.userid,
      msgid: item.id,
      key: button.key,
      selected,
    }),
  );
}

function sendDraft(item, button, hands, card, row) {
  return once(row, async () => {
    const ok = await hands.stage.act(hands.seat, "staff/send_draft", {
      userid: hands.userid,
      msgid: item.id,
      key: button.key,
      text: card.querySelector("textarea").value,
    });
    if (ok) hands.stage.tried("send");
    return ok;
  });
}

function task(item, now, hands) {
  const many = item.to.length > 3 ? `等 ${item.to.length} ${item.unit}` : "";
  const names = item.to.slice(0, 3).join("、") + many;
  const parts = [
    h("h3", {}, "请确认群发"),
    h("p", { class: "card-desc" }, `发到：${names || "您的全部客户群"}`),
    h("p", { class: "card-quote card-long", tabindex: "0" }, item.text || "只有附件"),
    item.extras.length > 0 && h("p", { class: "card-note" }, `附件：${item.extras.join("、")}`),
    item.reminders > 0 && h("p", { class: "card-note" }, `已提醒 ${item.reminders} 次`),
  ];
  if (!item.open) {
    const at = item.sent_at ? `${when(item.sent_at, now)} 点了发送 · ` : "";
    return [...parts, ended(at + item.result, item.tone)];
  }
  const row = h("div", { class: "card-keys" });
  const send = () =>
    once(row, async () => {
      const ok = await hands.stage.act(hands.seat, "staff/confirm", {
        userid: hands.userid,
        msgid: item.id,
      });
      if (ok) hands.stage.tried("send");
      return ok;
    });
  row.append(
    h("button", { type: "button", class: "primary", onclick: send }, "发送"),
    h("span", { class: "card-note" }, "点了才发，以您的名义"),
  );
  return [...parts, row];
}

function talk(item, now, hands, card) {
  const whom = { userid: hands.userid, customer: item.customer };
  const row = h("div", { class: "card-keys" });
  const button = (words, main, deed) =>
    h("button", { type: "button", class: main ? "primary" : "second", onclick: () => once(row, deed) }, words);
  const act = (path, body = {}) => () => hands.stage.act(hands.seat, path, { ...whom, ...body });
  const last = item.last.map((line) =>
    h("p", { class: "talk-line" }, h("b", {}, line.mine ? "行里" : item.name), h("span", {}, line.text)),
  );
  if (item.queued) {
    row.append(button("接入", true, act("staff/take")));
    return [h("h3", {}, `${item.name}在等真人`), ...last, row];
  }
  const box = textBox(item.id, "", "回客户的话", hands);
  box.placeholder = "用真人的话回他";
  const reply = async () => {
    const ok = await hands.stage.act(hands.seat, "staff/reply", { ...whom, text: box.value });
    if (ok) {
      hands.words.delete(item.id);
      box.value = "";
    }
    return false;
  };
  row.append(button("回复", true, reply), button("结束会话", false, act("staff/end")));
  if (item.chat) row.append(chatKey(item, hands));
  return [h("h3", {}, `正在和${item.name}说话`), ...last, box, row];
}
