// Times tick by themselves: <time data-relative> reads "8 s ago"; where the viewer's zone differs from the
// job's, every <time data-zone> also says what that is here. [data-since] counts up (00:32), [data-deadline] down. All
// of it by the server's clock, as soon as the page has heard it.
import { serverNow } from "./live/status.js";

const SECOND = 1000;
const here = document.body.dataset.viewerZone || Intl.DateTimeFormat().resolvedOptions().timeZone;
const words = new Intl.RelativeTimeFormat("en-GB", { numeric: "always", style: "short" });
const STEPS = [[60, "second", 1], [3600, "minute", 60], [86_400, "hour", 3600], [Infinity, "day", 86_400]];

export function relative(ms) {
  const seconds = Math.round(ms / SECOND);
  if (Math.abs(seconds) < 5) return "just now";
  const [, unit, size] = STEPS.find(([limit]) => Math.abs(seconds) < limit);
  if (unit === "second") return seconds < 0 ? `${-seconds} s ago` : `in ${seconds} s`;
  return words.format(Math.trunc(seconds / size), unit);
}

const clock = (date, zone) => date.toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
const day = (date, zone) => date.toLocaleDateString("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short" });

function hereToo(date, zone, until) {
  const other = (d) => `${day(d, here)} ${clock(d, here)}`;
  const same = (d) => other(d) === `${day(d, zone)} ${clock(d, zone)}`;
  if (same(date)) return "";
  const far = day(date, here) === day(date, zone) ? "" : `${day(date, here)}, `;
  return ` (${far}${clock(date, here)}${until ? `-${clock(until, here)}` : ""} for you)`;
}

function addZone(element) {
  if (element.dataset.style === "day" || element.dataset.told) return;
  element.dataset.told = "1";
  try {
    const until = element.dataset.until && new Date(element.dataset.until);
    const note = hereToo(new Date(element.dateTime), element.dataset.zone, until);
    if (!note) return;
    const small = document.createElement("span");
    small.className = "here-time muted";
    small.textContent = note;
    element.append(small);
  } catch { /* a zone this browser does not know: the job's own time stands there */ }
}

const pad = (number) => String(number).padStart(2, "0");

function count(ms, withSeconds) {
  const total = Math.max(0, Math.floor(ms / SECOND));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  return withSeconds ? `${pad(h * 60 + m)}:${pad(s)}` : `${pad(h)}:${pad(m)}`;
}

const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function tick() {
  if (document.hidden) return;
  const now = serverNow();
  for (const element of document.querySelectorAll("time[data-relative]")) {
    element.title ||= element.textContent.trim();
    write(element, relative(new Date(element.dateTime) - now));
  }
  for (const element of document.querySelectorAll("[data-since]")) {
    write(element, count(now - new Date(element.dataset.since) + 1000 * (element.dataset.plus ?? 0)));
  }
  for (const element of document.querySelectorAll("[data-deadline]")) {
    write(element, count(new Date(element.dataset.deadline) - now, true));
  }
  for (const element of document.querySelectorAll("time[data-zone]:not([data-relative], [data-told])")) addZone(element);
}

tick();
setInterval(tick, SECOND);
document.addEventListener("visibilitychange", tick);
document.addEventListener("htmx:afterSettle", tick);
