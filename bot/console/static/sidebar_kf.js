// A customer who talks in 微信客服 now: with whom, and what a person may do about it.

import { h } from "./dom.js";
import { button } from "./sidebar_parts.js";
import { call } from "./sidebar_wire.js";

const CARRIED_OUT_MS = 1200;

// Return the items of a list: one card, or none where there is nothing to press.
export function kfItems(desk, customer) {
  const { kf } = customer;
  if (!kf || !kf.acts || !kf.acts.length) return [];
  return [{ key: "kf", mark: desk.mark("kf", kf), make: () => kfCard(desk, customer, kf) }];
}

function kfCard(desk, customer, kf) {
  const ui = desk.ui("kf");
  const keys = kf.acts.map((one) =>
    button(one.label, one.primary ? "soft" : "plain", () => press(desk, customer, ui, one.act), {
      disabled: ui.busy,
      "data-main": one.act === "take" && "take",
    }));
  return h(
    "article",
    { class: "card" },
    h("h2", {}, "微信客服"),
    h("p", {}, kf.words),
    h("div", { class: "keys" }, keys),
    ui.problem && h("p", { class: "problem", role: "alert" }, ui.problem),
  );
}

async function press(desk, customer, ui, act) {
  Object.assign(ui, { busy: true, problem: "" });
  desk.touch("kf");
  try {
    const told = await call("api/kf", { customer: customer.id, act });
    desk.toast(told.words);
    // Somebody else carries it out a moment later.
    setTimeout(desk.refresh, CARRIED_OUT_MS);
  } catch (error) {
    ui.problem = error.message;
    if (error.code === "changed") desk.refresh();
  } finally {
    ui.busy = false;
    desk.touch("kf");
  }
}
