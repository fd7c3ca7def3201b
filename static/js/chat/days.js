// Day separators, the "New" line, and who goes on speaking: attributes that the style sheet draws, since an element
// of its own between the messages would stand in the way of their order.
import { isOwn, isSent, messagesIn, onChange, seqOf } from "./parts.js";

const GOES_ON = 5 * 60_000;
const DAY = 86_400_000;

const formats = new Map(); // by zone: making one costs more than laying out the message it is for

function dayOf(date, zone) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "long" }));
  }
  return formats.get(zone).format(date);
}

function label(date, zone) {
  const day = dayOf(date, zone);
  if (day === dayOf(new Date(), zone)) return "Today";
  if (day === dayOf(new Date(Date.now() - DAY), zone)) return "Yesterday";
  if (Date.now() - date > 300 * DAY) return `${day} ${date.getFullYear()}`;
  return day;
}

function set(item, name, value) {
  if (value === undefined) delete item.dataset[name];
  else if (item.dataset[name] !== value) item.dataset[name] = value;
}

function momentOf(item) {
  const time = item.querySelector("time");
  const at = new Date(time?.dateTime ?? "");
  return { at: Number.isNaN(at.valueOf()) ? new Date() : at, zone: time?.dataset.zone || undefined };
}

export function keepDays(chat) {
  const readBefore = Number(chat.dataset.read || 0); // when the page was opened
  const paint = () => {
    let before = null;
    let firstNew = null;
    for (const item of messagesIn(chat)) {
      const { at, zone } = momentOf(item);
      const day = label(at, zone);
      const goesOn = before && before.day === day && before.who === who(item) && at - before.at < GOES_ON;
      set(item, "day", before?.day === day ? undefined : day);
      set(item, "goesOn", goesOn && item.dataset.side !== "system" ? "" : undefined);
      if (!firstNew && isSent(item) && seqOf(item) > readBefore && !isOwn(chat, item) && item.dataset.side !== "system") firstNew = item;
      set(item, "firstNew", item === firstNew ? "" : undefined);
      before = { day, at, who: who(item) };
    }
  };
  onChange(chat, paint);
}

const who = (item) => `${item.dataset.side} ${item.dataset.author ?? ""}`;
