// Maps. Show a place:   <div data-map-show data-latitude="51.5" data-longitude="-0.1" data-label="Camden" [data-radius-km="1"]>
//       Pick a place:   <div data-map-pick data-latitude="ID" data-longitude="ID" [data-radius="ID of a field in km"] [data-area="ID of a field for the borough's name"]>
// The fields stay the truth: they work without a map, and a map without tiles works too.
import { circle, makeMap, pin, placeName } from "./map/base.js";

const number = (text) => (text === undefined || text === null || String(text).trim() === "" ? NaN : Number(text));
const field = (id) => (id ? document.getElementById(id) : null);

async function show(element) {
  const { latitude, longitude, label, radiusKm } = element.dataset;
  const [lat, lng] = [number(latitude), number(longitude)];
  if (!Number.isFinite(lat) || !Number.isFinite(lng)) return;
  const map = await makeMap(element, { latitude: lat, longitude: lng });
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", `Map: ${label || (await placeName(lat, lng)) || "the place"}`);
  if (!radiusKm) { pin(lat, lng, { keyboard: false, interactive: false }).addTo(map); return; }
  map.fitBounds(circle(lat, lng, Number(radiusKm)).addTo(map).getBounds(), { padding: [24, 24], maxZoom: 14 });
}

function sayWhere(element) {
  const line = document.createElement("p");
  line.className = "help map-where";
  line.setAttribute("role", "status");
  line.textContent = "Tap the map to place the pin, then drag it to the spot. By keyboard: arrow keys move the map, Enter places the pin in its middle.";
  element.after(line);
  return line;
}

class Picker {
  constructor(element, map) {
    Object.assign(this, { element, map, line: sayWhere(element), marker: null, ring: null });
    const { latitude, longitude, radius, area } = element.dataset;
    Object.assign(this, { lat: field(latitude), lng: field(longitude), km: field(radius), area: field(area) });
    map.on("click", (event) => this.place(event.latlng));
    element.addEventListener("keydown", (event) => this.key(event));
    for (const input of [this.lat, this.lng, this.km]) input?.addEventListener("change", () => this.read());
    this.lat.form?.addEventListener("draft:restored", () => this.read());
    this.read();
  }

  key(event) {
    if (event.target !== this.element || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    this.place(this.map.getCenter());
  }

  // From the map into the fields.
  async place({ lat, lng }) {
    this.lat.value = lat.toFixed(5);
    this.lng.value = lng.toFixed(5);
    this.draw(lat, lng);
    for (const input of [this.lat, this.lng]) input.dispatchEvent(new Event("input", { bubbles: true }));
    const name = await placeName(lat, lng);
    this.line.textContent = `The pin is at ${lat.toFixed(4)}, ${lng.toFixed(4)}${name ? `, in ${name}` : ""}.`;
    if (this.area && name && (!this.area.value || this.area.value === this.named)) {
      this.area.value = this.named = name;
      this.area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  // From the fields onto the map.
  read() {
    const [lat, lng] = [number(this.lat.value), number(this.lng.value)];
    if (!Number.isFinite(lat) || !Number.isFinite(lng)) return;
    const first = !this.marker;
    this.draw(lat, lng);
    if (first && this.ring) this.map.fitBounds(this.ring.getBounds());
    else if (!this.map.getBounds().contains([lat, lng])) this.map.setView([lat, lng], 13);
  }

  draw(lat, lng) {
    if (!this.marker) {
      this.marker = pin(lat, lng, { draggable: true, autoPan: true, title: "The place", alt: "The place" }).addTo(this.map);
      this.marker.on("dragend", () => this.place(this.marker.getLatLng()));
    }
    this.marker.setLatLng([lat, lng]);
    this.ring?.remove();
    const km = number(this.km?.value);
    if (km > 0) this.ring = circle(lat, lng, km).addTo(this.map);
  }
}

async function pick(element) {
  const { latitude, longitude } = element.dataset;
  if (!field(latitude) || !field(longitude)) return;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Map to place the pin");
  const map = await makeMap(element, { latitude: number(field(latitude).value), longitude: number(field(longitude).value) });
  element.picker = new Picker(element, map);
}

function start(root) {
  for (const element of root.querySelectorAll("[data-map-show]:not([data-map])")) { element.dataset.map = ""; show(element); }
  for (const element of root.querySelectorAll("[data-map-pick]:not([data-map])")) { element.dataset.map = ""; pick(element); }
}

start(document);
document.addEventListener("htmx:afterSettle", () => start(document));
document.addEventListener("dialog:filled", () => start(document));
