// Small hands for the page's elements. Words only ever become text nodes.

export function h(tag, props = {}, ...kids) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const kid of kids.flat()) {
    if (kid !== null && kid !== undefined && kid !== false) element.append(kid);
  }
  return element;
}

// Make the children of `parent` those of `items`; an item that did not change keeps its element.
// Whoever was typing in a redrawn item types on; a pressed button that went leaves its item.
export function sync(parent, items, key, make) {
  const held = parent.contains(document.activeElement) ? document.activeElement : null;
  const home = held?.closest("[data-key]")?.dataset.key;
  const caret = held?.tagName === "TEXTAREA" ? [held.selectionStart, held.selectionEnd] : null;
  place(parent, items, key, make);
  if (!held || held === parent || document.activeElement === held) return;
  const again = home && parent.querySelector(`[data-key="${CSS.escape(home)}"] ${held.tagName}`);
  (again || parent).focus({ preventScroll: true });
  if (again && caret) again.setSelectionRange(...caret);
}

function place(parent, items, key, make) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    const mark = JSON.stringify(item);
    let child = known.get(id);
    known.delete(id);
    if (!child || child.mark !== mark) {
      const fresh = make(item);
      fresh.dataset.key = id;
      fresh.mark = mark;
      if (child) {
        if (child === next) next = fresh;
        child.replaceWith(fresh);
      }
      child = fresh;
    }
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const gone of known.values()) gone.remove();
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
