// The left phone: a customer writes to 小安.

import { drawTalk, said, speaking, withTimes } from "./chat.js";
import { h } from "./dom.js";
import { fillSelect } from "./stage_dom.js";

export function customerPhone(stage) {
  const seat = document.getElementById("customer");
  const body = seat.querySelector(".phone-body");
  const pick = seat.querySelector(".pick");
  const title = seat.querySelector(".phone-title");
  const sub = seat.querySelector(".phone-sub");
  const tag = seat.querySelector(".phone-head .tag");
  const entered = new Set();
  let shown = null;
  let open = "";

  pick.addEventListener("change", () => stage.choose("customer", pick.value));
  speaking(seat, async (text) => {
    const ok = await stage.act(seat, "kf/say", { customer: open, text });
    if (ok) stage.tried("ask");
    return ok;
  });

  const make = (line) => {
    if (line.typing) {
      const dots = h("div", { class: "bubble dots" }, h("i"), h("i"), h("i"));
      dots.setAttribute("role", "img");
      dots.setAttribute("aria-label", "小安正在想");
      return h("div", { class: "line" }, h("div", { class: "line-main" }, dots));
    }
    if (line.who === "system") return h("p", { class: "is-system" }, line.text);
    if (line.who === "customer") {
      return h("div", { class: "line is-mine" }, h("div", { class: "line-main" }, said(line)));
    }
    const bubble = said(line);
    if (line.basis?.length) {
      bubble.append(h("div", { class: "basis" }, `依据：${line.basis.join("；")}`));
    }
    if (line.menu?.length) bubble.append(menu(line.menu));
    const bot = line.who === "bot";
    const who = h(
      "div",
      { class: "line-who" },
      line.name,
      h("span", { class: `tag ${bot ? "tag-bot" : "tone-done"}` }, bot ? "智能助手" : "真人"),
    );
    return h("div", { class: "line" }, h("div", { class: "line-main" }, who, bubble));
  };

  const menu = (items) =>
    h(
      "div",
      { class: "menu" },
      items.map((item) =>
        h(
          "button",
          {
            type: "button",
            onclick: () => stage.act(seat, "kf/click", { customer: open, item: item.id }),
          },
          item.text,
        ),
      ),
    );

  return (state) => {
    const kf = state.kf;
    if (!kf) {
      drawTalk(body, true, [], make, "还没有开通微信客服。启动演示后，客户就能在这里问小安。");
      return;
    }
    open = kf.open;
    title.textContent = kf.name;
    sub.textContent = kf.state;
    // Beside the assistant's name no other label may stand than what it is.
    tag.hidden = kf.with === "person" || kf.with === "queue";
    const options = kf.customers.map((one) => ({
      id: one.id,
      text: one.age ? `${one.name} · ${one.age} 岁` : one.name,
    }));
    fillSelect(pick, options, open);
    // Opening the chat is what brings the bank's welcome.
    if (open && !kf.lines.length && !entered.has(open)) {
      entered.add(open);
      stage.act(seat, "kf/enter", { customer: open });
    }
    const items = withTimes(kf.lines, state.now);
    if (kf.typing) items.push({ id: "typing", typing: true });
    drawTalk(body, shown !== open, items, make, "问一句试试，点下面的问题，或自己打字。");
    shown = open;
  };
}
