// Words that somebody is changing, kept for a day: a closed page or a lost network takes nothing.
// They belong to one chat, so that what was written for one customer never stands before another.

import { keep, kept } from "./sidebar_wire.js";

const HEAD = `zhilin-edit:${document.body.dataset.me}:`;
const FOR_MS = 86400000;

export function editOf(place, key) {
  return read(`${HEAD}${place}:${key}`);
}

export function keepEdit(place, key, text) {
  const value = text === null ? null : JSON.stringify({ text, at: Date.now() });
  keep(localStorage, `${HEAD}${place}:${key}`, value);
}

function read(name) {
  try {
    const { text, at } = JSON.parse(kept(localStorage, name));
    if (Date.now() - at < FOR_MS) return text;
    keep(localStorage, name, null);
  } catch {
    // Nothing was kept there.
  }
  return null;
}

// What nobody came back to is not left lying on the device.
export function forgetOldEdits() {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith("zhilin-edit:")) read(name);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}
