// The rows beside the map: which of them fit the filter, which is chosen, and what positions say in them. A row is drawn
// anew whenever the driver changes; what stands only here is written into it again.
import { placeName } from "../map/base.js";
import { quality, rowOf } from "./fleet-data.js";

const AT_ONCE = 40; // rows whose place is looked up in one go
const FAR = 0.002; // degrees, about 150 m: nearer is the same borough
const form = document.getElementById("fleet-filter");
const list = document.getElementById("fleet-rows");
const named = new Map(); // id: where, and what it is called

export const rows = () => [...list.querySelectorAll(":scope > [data-driver]")];
const rowsOf = (id) => [rowOf(id), document.querySelector(`#fleet-travellers > [data-traveller="${id}"]`)].filter(Boolean);

// --- The filter -----------------------------------------------------------------------------------

const wanted = () => Object.fromEntries(new FormData(form));

function fits({ dataset }, { q, duty, connection, load }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.every((word) => dataset.name.toLowerCase().includes(word))) return false;
  if (duty === "" ? dataset.duty === "off_duty" : duty !== "all" && dataset.duty !== duty) return false;
  return (!connection || dataset.connection === connection) && (!load || dataset.load === load);
}

// Every row says for itself whether it fits; the same rule stands in fleet.css for a page without JavaScript.
export function filter() {
  const chosen = wanted();
  for (const name of ["duty", "connection", "load"]) list.dataset[name] = chosen[name];
  let shown = 0;
  for (const row of rows()) {
    const fit = fits(row, chosen);
    row.classList.toggle("is-out", !fit);
    shown += fit;
  }
  const all = rows().length;
  document.getElementById("fleet-nobody").hidden = shown > 0 || all === 0;
  const line = document.getElementById("fleet-count");
  const words = all ? `${shown} of ${all} driver${all === 1 ? "" : "s"}` : "";
  if (line.textContent !== words) line.textContent = words;
}

export const isShown = (row) => !row.classList.contains("is-out");

function keepAddress() {
  const query = new URLSearchParams(Object.entries(wanted()).filter(([, value]) => value));
  history.replaceState(history.state, "", query.size ? `?${query}` : location.pathname);
}

export function onFilter(changed) {
  const apply = () => { filter(); keepAddress(); changed(); };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter]");
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const asked = new URLSearchParams(link.dataset.filter);
    for (const { name } of form.querySelectorAll("[name]")) form.elements[name].value = asked.get(name) ?? "";
    apply();
  });
}

// --- What positions say ---------------------------------------------------------------------------

export function mark(id) {
  for (const row of [...rows(), ...document.querySelectorAll("#fleet-travellers > [data-traveller]")]) {
    const own = String(id) === (row.dataset.driver ?? row.dataset.traveller);
    row.classList.toggle("is-selected", own);
    row.querySelector("[data-fleet-select]")?.setAttribute("aria-pressed", String(own));
  }
}

export function tell(people) {
  for (const person of people.values()) {
    for (const row of rowsOf(person.id)) if (person.lat !== null) write(row, person);
  }
  name([...people.values()]);
}

function write(row, person) {
  const line = row.querySelector(".fleet-seen");
  if (!line) return;
  line.classList.remove("tone-poor");
  const time = line.querySelector("time") ?? firstTime(line.querySelector("span"));
  const at = new Date(person.seen).toISOString();
  if (time.getAttribute("datetime") !== at) time.setAttribute("datetime", at);
  line.querySelector("[data-fleet-unknown]")?.remove();
  const place = line.querySelector("[data-fleet-place]");
  const words = named.get(person.id)?.words ?? "";
  if (place && place.textContent !== words) place.textContent = words;
  heard(row.querySelector("[data-fleet-quality]"), row.dataset.connection === "offline" ? "" : quality(person.trip));
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
  }
}
