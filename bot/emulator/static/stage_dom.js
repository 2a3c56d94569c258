// What the stage's phones need besides: lists of plain values, talks that stay at their end, tabs.

import { h, sync as syncItems } from "./dom.js";

// Make the children of `parent` those of `items`; an item that did not change keeps its element.
export function sync(parent, items, key, make) {
  syncItems(parent, items.map((one) =>
    ({ key: String(key(one)), mark: JSON.stringify(one), make: () => make(one) })));
}

// Redraw a talk and stay at its end, unless its reader has scrolled up.
export function keepEnd(body, afresh, draw) {
  if (body.follows === undefined) watchEnd(body);
  if (afresh) body.follows = true;
  draw();
  if (body.follows) body.scrollTop = body.scrollHeight;
}

function watchEnd(body) {
  body.follows = true;
  body.addEventListener("scroll", () => {
    body.follows = body.scrollHeight - body.scrollTop - body.clientHeight < 60;
  });
  // A picture grows when it has come; "load" does not bubble, so it is caught on its way down.
  const toEnd = () => {
    if (body.follows) body.scrollTop = body.scrollHeight;
  };
  body.addEventListener("load", toEnd, true);
  new ResizeObserver(toEnd).observe(body);
}

export function fillSelect(select, options, chosen) {
  const mark = JSON.stringify(options);
  if (select.mark !== mark && document.activeElement !== select) {
    select.mark = mark;
    select.replaceChildren(...options.map((one) => h("option", { value: one.id }, one.text)));
  } else if (select.mark !== mark) {
    // An open list keeps its places; only its words change.
    const known = new Map([...select.options].map((option) => [option.value, option]));
    for (const one of options) {
      const option = known.get(one.id);
      if (option) {
        if (option.textContent !== one.text) option.textContent = one.text;
      } else select.append(h("option", { value: one.id }, one.text));
    }
  }
  if (chosen !== undefined && select.value !== chosen) select.value = chosen;
}

// Tabs that the arrow keys move between.
export function tabs(list, chosen) {
  const buttons = [...list.querySelectorAll("[role=tab]")];
  const pick = (button) => {
    for (const one of buttons) {
      one.setAttribute("aria-selected", String(one === button));
      one.tabIndex = one === button ? 0 : -1;
    }
    chosen(button.dataset.tab);
  };
  buttons.forEach((button, place) => {
    button.tabIndex = place === 0 ? 0 : -1;
    button.addEventListener("click", () => pick(button));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = buttons[(place + step + buttons.length) % buttons.length];
      next.focus();
      pick(next);
    });
  });
  return (name) => pick(buttons.find((button) => button.dataset.tab === name));
}

export function remembered(key) {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing shows the first visit again.
  }
}
