// Which drivers the list and the map show. Every row says for itself whether it fits; the same rule stands in fleet.css
// for a page without JavaScript.
import { drivers } from "./fleet-rows.js";

const form = document.getElementById("fleet-filter");
const list = document.getElementById("fleet-rows");

const wanted = () => Object.fromEntries(new FormData(form));

function fits({ dataset }, { words, duty, connection, load }) {
  if (!words.every((word) => dataset.name.toLowerCase().includes(word))) return false;
  if (duty === "" ? dataset.duty === "off_duty" : duty !== "all" && dataset.duty !== duty) return false;
  if (connection === "stale" ? dataset.connection === "online" : connection && dataset.connection !== connection) return false;
  return !load || dataset.load === load;
}

export function filter() {
  const chosen = wanted();
  chosen.words = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = drivers();
  for (const name of ["duty", "connection", "load"]) if (list.dataset[name] !== chosen[name]) list.dataset[name] = chosen[name];
  let shown = 0;
  for (const row of rows) {
    const fit = fits(row, chosen);
    if (row.classList.contains("is-out") === fit) row.classList.toggle("is-out", !fit);
    shown += fit;
  }
  const all = rows.length;
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
