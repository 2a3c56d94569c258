// Small hands for a page's elements. Words only ever become text nodes.

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
// same keeps its element, so that nobody loses the words he is typing while news comes. Whoever
// was typing in a redrawn one types on; a pressed button that went leaves its place to its like.
export function sync(parent, items) {
  const held = parent.contains(document.activeElement) ? document.activeElement : null;
  const home = held?.closest("[data-key]")?.dataset.key;
  const caret = held?.tagName === "TEXTAREA" ? [held.selectionStart, held.selectionEnd] : null;
  place(parent, items);
  if (!held || held === parent || document.activeElement === held) return;
  const card = home && parent.querySelector(`[data-key="${CSS.escape(home)}"]`);
  const again = (card && likeness(card, held)) || parent;
  again.focus({ preventScroll: true });
  if (caret && again.tagName === "TEXTAREA") again.setSelectionRange(...caret);
}

function likeness(card, held) {
  const name = held.dataset.focus;
  if (card.tagName === held.tagName) return card;
  const named = name && (card.dataset.focus === name ? card : find(card, `[data-focus="${CSS.escape(name)}"]`));
  return named || find(card, held.tagName) || find(card, "textarea") || find(card, "select") || find(card, "button");
}

const find = (card, what) => card.querySelector(`${what}:not([disabled])`);

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
