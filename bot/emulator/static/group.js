// The middle phone: a customer group, where only people speak.

import { drawTalk, face, said, speaking, withTimes } from "./chat.js";
import { h } from "./dom.js";
import { fillSelect } from "./stage_dom.js";

export function groupPhone(stage) {
  const seat = document.getElementById("group");
  const body = seat.querySelector(".phone-body");
  const pick = seat.querySelector(".pick");
  const speaker = seat.querySelector(".speak-as");
  const title = seat.querySelector(".phone-title");
  const sub = seat.querySelector(".phone-sub");
  const seen = new Map();
  let shown = null;
  let owner = "";
  let open = "";

  pick.addEventListener("change", () => stage.choose("chat", pick.value));
  speaking(seat, async (text) => {
    const ok =
      speaker.value === owner
        ? await stage.act(seat, "group/owner_says", { chat: open, text })
        : await stage.act(seat, "group/say", { chat: open, member: speaker.value, text });
    if (ok && text.includes("国债")) stage.tried("join");
    return ok;
  });

  const make = (line) => {
    const mine = line.mine;
    const bank = line.who !== "member";
    const who = h(
      "div",
      { class: "line-who" },
      line.name,
      line.who === "owner" && h("span", { class: "tag tag-bot" }, "群主"),
      line.via && h("span", {}, line.via),
    );
    const main = h("div", { class: "line-main" }, who, said(line));
    return h("div", { class: mine ? "line is-mine" : "line" }, face(line.name, bank), main);
  };

  return (state) => {
    const groups = state.groups;
    const changed = shown !== groups.open;
    open = groups.open;
    const current = groups.list.find((one) => one.id === open);
    if (current) seen.set(open, current.count);
    const options = groups.list.map((one) => {
      if (!seen.has(one.id)) seen.set(one.id, one.count);
      const news = one.count - seen.get(one.id);
      return { id: one.id, text: news > 0 ? `${one.name}(${news} 条新的)` : one.name };
    });
    fillSelect(pick, options, open);
    title.textContent = current ? current.name : "客户群";
    sub.textContent = current ? `${current.people} 人` : "";
    owner = current ? current.owner : "";
    const people = groups.members
      .filter((one) => one.role === "customer")
      .map((one) => ({ id: one.id, text: one.name }));
    if (current) people.push({ id: owner, text: `群主${current.owner_name}(自己打字)` });
    const was = changed ? undefined : speaker.value;
    fillSelect(speaker, people, people.some((one) => one.id === was) ? was : people[0]?.id);
    if (changed) speaker.onchange = () => stage.redraw();
    const items = withTimes(
      groups.lines.map((line) => ({ ...line, mine: line.sender === speaker.value })),
      state.now,
    );
    const empty = current
      ? "群里还没人说话。替一位客户说一句，或到客户经理那边替群主点发送。"
      : "还没有客户群。群主在企业微信里建好群，这里就会出现。";
    drawTalk(body, changed, items, make, empty);
    shown = open;
  };
}
