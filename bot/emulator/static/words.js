// Times as people say them. Moments come as text in the bank's own zone.

const WEEK = "日一二三四五六";
const DAY_MS = 86400000;

const day = (iso) => Date.parse(`${iso.slice(0, 10)}T00:00:00Z`);

export const clock = (iso) => iso.slice(11, 16);

export function date(iso) {
  return `${Number(iso.slice(5, 7))}月${Number(iso.slice(8, 10))}日`;
}

export function weekday(iso) {
  return `周${WEEK[new Date(day(iso)).getUTCDay()]}`;
}

export function when(iso, now) {
  const ago = Math.round((day(now) - day(iso)) / DAY_MS);
  if (ago === 0) return `今天 ${clock(iso)}`;
  if (ago === 1) return `昨天 ${clock(iso)}`;
  if (ago === -1) return `明天 ${clock(iso)}`;
  if (Math.abs(ago) < 7) return `${weekday(iso)} ${clock(iso)}`;
  return `${date(iso)} ${clock(iso)}`;
}

export function isLongAfter(later, earlier) {
  return Date.parse(later) - Date.parse(earlier) > 5 * 60000;
}

// How long is left until a deadline, or by how much it is over, with the tone it deserves.
export function left(due, now) {
  const minutes = Math.round((Date.parse(due) - Date.parse(now)) / 60000);
  if (minutes < 0) return { text: `已超时 ${span(-minutes)}`, tone: "harm" };
  if (minutes === 0) return { text: "马上到时限", tone: "harm" };
  return { text: `还剩 ${span(minutes)}`, tone: minutes <= 15 ? "wait" : "info" };
}

function span(minutes) {
  if (minutes < 60) return `${minutes} 分钟`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 24) return `${Math.floor(hours / 24)} 天`;
  return rest ? `${hours} 小时 ${rest} 分` : `${hours} 小时`;
}

export function hoursBetween(later, earlier) {
  return (Date.parse(later) - Date.parse(earlier)) / 3600000;
}
