// The stage: keeps the three phones and the desk in step with the world.

import { listen, post } from "./api.js";
import { customerPhone } from "./customer.js";
import { groupPhone } from "./group.js";
import { staffPhone } from "./staff.js";
import { tour } from "./tour.js";
import { clock, date, weekday } from "./words.js";

const PROBLEM_FOR_MS = 6000;
const chosen = { customer: "", chat: "", staff: "" };
const problems = new WeakMap();
let latest = null;
let phones = [];

const stage = {
  choose(kind, id) {
    chosen[kind] = id;
    if (kind === "chat") {
      // The group's owner is who gets its drafts and tasks.
      const group = latest?.groups.list.find((one) => one.id === id);
      if (group) chosen.staff = group.owner;
      stage.groupChosen(id);
    }
    again();
  },
  async act(seat, path, body) {
    try {
      await post(`/stage/${path}`, body);
      problem(seat, "");
      return true;
    } catch (error) {
      problem(seat, error.message);
      return false;
    }
  },
  redraw() {
    if (latest) draw(latest);
  },
  tried() {},
  groupChosen() {},
};

function problem(seat, words) {
  const line = seat.querySelector(".phone-problem");
  line.textContent = words;
  line.hidden = !words;
  clearTimeout(problems.get(seat));
  if (words) problems.set(seat, setTimeout(() => (line.hidden = true), PROBLEM_FOR_MS));
}

function draw(state) {
  for (const time of document.querySelectorAll(".phone-time")) time.textContent = clock(state.now);
  const words = `${date(state.now)} ${weekday(state.now)} ${clock(state.now)}`;
  document.getElementById("bar-clock").textContent = words;
  for (const phone of phones) phone(state);
}

stage.tried = tour();
phones = [customerPhone(stage), groupPhone(stage), staffPhone(stage)];

const path = (version) => {
  const query = new URLSearchParams({ version: String(version), ...chosen });
  return `/stage/state?${query}`;
};
const down = document.getElementById("down");
const again = listen(
  path,
  (state) => {
    if (latest === null) {
      const group = state.groups.list.find((one) => one.id === state.groups.open);
      if (group && group.owner !== state.staff.open) {
        chosen.staff = group.owner;
        setTimeout(() => again());
      }
    }
    latest = state;
    document.body.dataset.ready = "yes";
    draw(state);
  },
  (is) => (down.hidden = is),
);

if (document.body.dataset.desk === "yes") {
  const { desk } = await import("./desk.js");
  stage.groupChosen = desk((id) => {
    // Both begin with the same group, the one that the desk knows a script for.
    if (chosen.chat || !id) return;
    chosen.chat = id;
    const group = latest?.groups.list.find((one) => one.id === id);
    if (group) chosen.staff = group.owner;
    again();
  });
}
