// The first visit: three things to try, ticked off as they are done.

import { remember, remembered } from "./stage_dom.js";

const KEY = "zhilin-tour-closed";
const PLACES = {
  ask: ["customer", ".chips button"],
  join: ["group", ".chips button"],
  send: ["staff", ".phone-body"],
};

export function tour() {
  const box = document.getElementById("tour");
  box.hidden = remembered(KEY) === "yes";
  document.getElementById("tour-close").addEventListener("click", () => {
    box.hidden = true;
    remember(KEY, "yes");
  });
  document.getElementById("tour-open").addEventListener("click", () => {
    box.hidden = !box.hidden;
  });
  for (const item of box.querySelectorAll(".tour-item")) {
    item.addEventListener("click", () => {
      const [seat, target] = PLACES[item.dataset.do];
      const place = document.getElementById(seat);
      place.classList.remove("is-called");
      void place.offsetWidth;
      place.classList.add("is-called");
      place.querySelector(target)?.focus();
    });
  }
  return (what) => {
    const item = box.querySelector(`[data-do="${what}"]`);
    if (!item || item.classList.contains("is-done")) return;
    item.classList.add("is-done");
    item.querySelector("b").textContent = "✓";
    item.setAttribute("aria-label", `${item.textContent}，做过了`);
  };
}
