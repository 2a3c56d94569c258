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
  for (const kid of kids.flat(2)) {
    if (kid !== null && kid !== undefined && kid !== false && kid !== "") element.append(kid);
  }
  return element;
}

// Make the children of `parent` those of `items` (each {key, mark, make}); one whose mark is the
// same keeps its element, so that nobody loses the words he is typing while news comes.
export function sync(parent, items) {
  const held = parent.contains(document.activeElement) ? document.activeElement : null;
  const home = held && held.closest("[data-key]");
  const again = held && held.dataset.focus;
  place(parent, items);
  if (!held || !home || document.activeElement === held) return;
  const card = parent.querySelector(`[data-key="${CSS.escape(home.dataset.key)}"]`);
  const inside = () => card.querySelector(`[data-focus="${CSS.escape(again)}"]`);
  const same = card && again && (card.dataset.focus === again ? card : inside());
  const next = same || (card && card.querySelector("textarea, select, button:not([disabled])"));
  if (next) next.focus({ preventScroll: true });
}

function place(parent, items) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    let child = known.get(item.key);
    known.delete(item.key);
    if (!child || child.mark !== item.mark) {
      const fresh = item.make();
      fresh.dataset.key = item.key;
      fresh.mark = item.mark;
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

export function tag(words, tone = "idle") {
  return h("span", { class: `tag tone-${tone}` }, words);
}

export function button(words, kind, deed, props = {}) {
  return h("button", { type: "button", class: kind, onclick: deed, "data-focus": words, ...props }, words);
}

export function bullets(words, list = "ul") {
  return words.length ? h(list, { class: "bullets" }, words.map((one) => h("li", {}, one))) : null;
}

// A part that opens and shuts; it stays as the reader left it.
export function fold(title, isOpen, changed, ...kids) {
  const box = h("details", { class: "fold", open: isOpen }, h("summary", {}, title), ...kids);
  box.addEventListener("toggle", () => changed(box.open));
  return box;
}

// How long is left until a moment, or by how much it is over, with the tone it deserves.
export function left(iso, now) {
  const minutes = Math.floor((Date.parse(iso) - now) / 60000);
  if (minutes < -1) return { words: `已超时 ${span(-minutes - 1)}`, tone: "harm" };
  if (minutes < 1) return { words: minutes < 0 ? "刚刚超时" : "马上到时限", tone: "harm" };
  return { words: `还剩 ${span(minutes)}`, tone: minutes <= 15 ? "wait" : "info" };
}

function span(minutes) {
  if (minutes < 60) return `${Math.max(1, minutes)} 分钟`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 24) return `${Math.floor(hours / 24)} 天`;
  return rest ? `${hours} 小时 ${rest} 分` : `${hours} 小时`;
}
