// Names on the desk's map: of the one under the pointer, and of all in a group that was tapped.
import { L } from "../map/base.js";
import { ago } from "./ages.js";
import { ageOf } from "./fleet-data.js";

const WORDS = { available: "available", busy: "busy", traveller: "technician on the way", leg: "needs a driver" };
const hint = L.tooltip({ direction: "top", offset: [0, -12], className: "fleet-hint" });

const about = (item) => (item.leg ? WORDS.leg : `${WORDS[item.look]}, ${ago(Math.floor(ageOf(item)))}`);

export function tooltip(map, hit, at) {
  if (!hit) { hint.remove(); return; }
  const words = hit.items ? `${hit.items.length} drivers: ${hit.items.slice(0, 4).map(({ name }) => name).join(", ")}${hit.items.length > 4 ? ", …" : ""}` : `${hit.name}: ${about(hit)}`;
  hint.setLatLng(map.layerPointToLatLng([hit.x, hit.y]) ?? at).setContent(Object.assign(document.createElement("span"), { textContent: words }));
  if (!map.hasLayer(hint)) hint.addTo(map);
}

function entry(item, choose) {
  const line = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-link";
  button.textContent = item.name;
  button.addEventListener("click", () => choose(item));
  line.append(button, Object.assign(document.createElement("span"), { className: "muted small", textContent: about(item) }));
  return line;
}

// The group's names as buttons; the focus goes to the first, so that the keyboard goes on from here.
export function popup(map, group, choose) {
  const list = document.createElement("ul");
  list.className = "fleet-names";
  const sorted = [...group.items].sort((a, b) => a.name.localeCompare(b.name));
  const box = L.popup({ maxHeight: 240, minWidth: 200, autoPan: true, keepInView: false });
  list.append(...sorted.map((item) => entry(item, (each) => { box.remove(); choose(each); })));
  box.setLatLng(map.layerPointToLatLng([group.x, group.y])).setContent(list).openOn(map);
  list.querySelector("button").focus({ preventScroll: true });
}
