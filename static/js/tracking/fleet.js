// The live fleet: map, drivers and tray show the same, and what is chosen in one is chosen in all.
import { L, makeMap } from "../map/base.js";
import { drawn, readLegs, readPeople } from "./fleet-data.js";
import { filter, isShown, onFilter } from "./fleet-filter.js";
import { FleetLayer } from "./fleet-layer.js";
import { popup, tooltip } from "./fleet-names.js";
import { look, mark, rowOf, tell } from "./fleet-rows.js";

const frame = document.getElementById("fleet-map");
const follow = document.getElementById("fleet-follow");
const map = await makeMap(frame, {});
const layer = new FleetLayer(map, document.getElementById("fleet-legend"));
let chosen = Number(frame.dataset.driver) || null;
let fitted = false;
let version = null;
let people = new Map();
frame.setAttribute("role", "group");
frame.setAttribute("aria-label", "Map of the fleet. The lists beside it say all that it shows.");

function items() {
  const shown = [...people.values()].filter((person) => person.lat !== null).flatMap((person) => {
    if (person.kind === "t") return [drawn(person, null)];
    const row = rowOf(person.id);
    return row && isShown(row) ? [drawn(person, row)] : [];
  });
  return [...shown, ...readLegs()];
}

function show() {
  const all = items();
  layer.show(all, chosen);
  fit(all);
  const own = people.get(chosen);
  follow.disabled = !own || own.lat === null;
  if (follow.getAttribute("aria-pressed") === "true" && own?.lat != null) map.panTo([own.lat, own.lng], { animate: true });
}

// Once, at once, when there is something to see; after that the map is the person's.
function fit(all, again = false) {
  if ((fitted && !again) || !all.length) return;
  const animate = fitted;
  fitted = true;
  const own = !again && people.get(chosen);
  if (own && own.lat !== null) map.setView([own.lat, own.lng], 14, { animate });
  else map.fitBounds(L.latLngBounds(all.map(({ lat, lng }) => [lat, lng])), { padding: [40, 40], maxZoom: 14, animate });
}

function take() {
  const element = document.getElementById("tracking-fleet-all");
  if (element?.dataset.version !== version) people = readPeople() ?? people;
  version = element?.dataset.version ?? null;
  look();
  filter();
  mark(chosen);
  tell(people);
  show();
}

function choose(id, { scroll = false, pan = false } = {}) {
  chosen = id;
  if (id === null) stop();
  mark(id);
  if (scroll) rowOf(id)?.scrollIntoView({ block: "nearest" });
  const own = people.get(id);
  if (pan && own && own.lat !== null && !map.getBounds().contains([own.lat, own.lng])) map.panTo([own.lat, own.lng]);
  show();
}

function stop() { follow.setAttribute("aria-pressed", "false"); }

function chooseLeg(leg) {
  const item = document.querySelector(`#tray-rows > [data-leg="${leg}"]`);
  for (const each of document.querySelectorAll("#tray-rows > [data-leg]")) each.classList.toggle("is-selected", each === item);
  item?.scrollIntoView({ block: "nearest" });
}

const open = (thing) => (thing.leg ? chooseLeg(thing.leg) : choose(thing.id, { scroll: true }));

map.on("click", ({ layerPoint }) => {
  const hit = layer.at(layerPoint);
  if (hit?.items) popup(map, hit, (item) => open(item));
  else if (hit) open(hit);
  else choose(null);
});
map.on("mousemove", ({ layerPoint, latlng }) => {
  const hit = layer.at(layerPoint);
  frame.classList.toggle("is-over", Boolean(hit));
  tooltip(map, hit, latlng);
});
map.on("dragstart", stop);
follow.addEventListener("click", () => {
  follow.setAttribute("aria-pressed", String(follow.getAttribute("aria-pressed") !== "true"));
  show();
});
document.getElementById("fleet-fit").addEventListener("click", () => fit(items(), true));
document.addEventListener("click", (event) => {
  const row = event.target.closest("#fleet-rows > [data-driver], #fleet-travellers > [data-traveller]");
  const button = event.target.closest("[data-fleet-select]");
  if (!row || (!button && event.target.closest("a, button"))) return;
  const id = Number(row.dataset.driver ?? row.dataset.traveller);
  choose(id === chosen && button ? null : id, { pan: true });
});

onFilter(show);
document.addEventListener("live:applied", take);
setInterval(() => { if (!document.hidden) show(); }, 1000); // ages turn with nothing new coming in
take();
