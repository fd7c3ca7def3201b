// The rows beside the map: which is chosen, and what positions say in them. A row is drawn anew whenever the driver
// changes; what stands only here is written into it again.
import { placeName } from "../map/base.js";
import { quality } from "./fleet-data.js";

const AT_ONCE = 40; // rows whose place is looked up in one go
const FAR = 0.002; // degrees, about 150 m: nearer is the same borough
const list = document.getElementById("fleet-rows");
const others = document.getElementById("fleet-travellers");
const actions = document.getElementById("fleet-actions");
const named = new Map(); // id: where, and what it is called
const told = new WeakMap(); // row: what was written into it last
let index = new Map(); // id: row; five hundred are not searched for one by one

export const rowOf = (id) => index.get(Number(id)) ?? null;

// Once for everything that is done with the rows after a change of the page.
export function look() {
  const drivers = [...list.children].filter((row) => row.dataset.driver).map((row) => [Number(row.dataset.driver), row]);
  const travellers = [...others.children].filter((row) => row.dataset.traveller).map((row) => [Number(row.dataset.traveller), row]);
  index = new Map([...drivers, ...travellers]);
}

export const drivers = () => [...index.values()].filter((row) => row.dataset.driver);

// The chosen one's row, with what can be done from here; the links stand once on the page.
export function mark(id) {
  for (const [each, row] of index) {
    const own = each === id;
    if (row.classList.contains("is-selected") === own) continue;
    row.classList.toggle("is-selected", own);
    row.querySelector("[data-fleet-select]")?.setAttribute("aria-pressed", String(own));
    row.querySelector(".fleet-more")?.remove();
    if (own && row.dataset.driver) row.append(linksOf(row));
  }
}

function linksOf({ dataset }) {
  const links = actions.content.firstElementChild.cloneNode(true);
  links.querySelector("[data-only]").hidden = dataset.duty !== "on_duty";
  for (const link of links.querySelectorAll("a")) link.href = link.dataset.href.replace("/0/", `/${dataset.driver}/`).replace("=0", `=${dataset.driver}`);
  return links;
}

export function tell(people) {
  for (const person of people.values()) {
    const row = rowOf(person.id);
    if (!row || person.lat === null) continue;
    const words = `${person.seen} ${person.trip}`;
    if (told.get(row) === words) continue;
    told.set(row, words);
    write(row, person);
  }
  name([...people.values()]);
}

// What a position says in the lines about one person.
export function write(row, person) {
  const line = row.querySelector(".fleet-seen");
  if (!line) return;
  line.classList.remove("tone-poor");
  const time = line.querySelector("time") ?? firstTime(line.querySelector("span"));
  const at = new Date(person.seen).toISOString();
  if (time.getAttribute("datetime") !== at) time.setAttribute("datetime", at);
  line.querySelector("[data-fleet-unknown]")?.remove();
  where(row, person.id);
  heard(row.querySelector("[data-fleet-quality]"), row.dataset.connection === "offline" ? "" : quality(person.trip));
}

function where(row, id) {
  const place = row?.querySelector("[data-fleet-place]");
  const words = named.get(id)?.words ?? "";
  if (place && place.textContent !== words) place.textContent = words;
}

function firstTime(inside) {
  const time = Object.assign(document.createElement("time"), { textContent: "just now" });
  time.dataset.age = "30 300";
  inside.prepend(time, " ");
  return time;
}

function heard(line, word) {
  if (!line || line.dataset.fleetQuality === word) return;
  line.dataset.fleetQuality = word;
  line.className = `tone-${word}`;
  line.hidden = !word;
  line.querySelector("span").textContent = `${word.charAt(0).toUpperCase()}${word.slice(1)} line`;
}

// The borough's name for those who have gone some way since it was looked up.
async function name(people) {
  const due = people.filter(({ id, lat, lng }) => lat !== null && !(Math.hypot((named.get(id)?.lat ?? 99) - lat, (named.get(id)?.lng ?? 99) - lng) < FAR));
  for (const { id, lat, lng } of due.slice(0, AT_ONCE)) {
    named.set(id, { lat, lng, words: named.get(id)?.words ?? "" });
    const found = await placeName(lat, lng);
    named.set(id, { lat, lng, words: found && `in ${found}` });
    where(rowOf(id), id);
  }
}
