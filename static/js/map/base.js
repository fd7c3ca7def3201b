// The ground of every map: a tile server if the site has one, else the vendored boroughs and tube lines of London.
import "../../vendor/leaflet/leaflet.js";
import { inside, lines, polygons } from "./topojson.js";

export const L = window.leaflet;
const meta = document.querySelector('meta[name="map"]')?.dataset ?? {};
const LONDON = [[51.287, -0.511], [51.692, 0.334]];
const LABELS_FROM = 11;

const styles = new Promise((ready) => {
  if (!meta.css) { ready(); return; }
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href: meta.css, onload: ready, onerror: ready });
  document.head.append(link);
});

const json = (url) => fetch(url).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(url))));
let boroughs = null;
const borough = () => (boroughs ??= json(meta.boroughs).then(polygons).catch(() => []));

// The borough's name at a point, or "".
export async function placeName(latitude, longitude) {
  return (await borough()).find(({ rings }) => inside(rings, latitude, longitude))?.name ?? "";
}

async function drawLondon(map) {
  map.attributionControl.addAttribution("Boroughs © Crown copyright, ONS and OS 2015 (OGL); lines © OpenStreetMap contributors");
  const labels = L.layerGroup();
  for (const { name, rings } of await borough()) {
    L.polygon(rings, { className: "map-land", interactive: false, weight: 1 }).addTo(map).bringToBack(); // under what the page drew while this was fetched
    const middle = L.polygon(rings).getBounds().getCenter();
    const word = document.createElement("span");
    word.textContent = name;
    L.marker(middle, { interactive: false, keyboard: false, icon: L.divIcon({ className: "map-word", html: word, iconSize: [90, 16] }) }).addTo(labels);
  }
  const label = () => (map.getZoom() >= LABELS_FROM ? labels.addTo(map) : labels.remove());
  map.on("zoomend", label);
  label();
  const rails = await json(meta.lines).then(lines).catch(() => []);
  L.polyline(rails, { className: "map-rail", interactive: false, weight: 2 }).addTo(map);
}

// A map in `element`, in view of London until told otherwise.
export async function makeMap(element, { latitude, longitude, zoom = 13 }) {
  await styles;
  element.classList.add("is-ready");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(element, { zoomAnimation: !calm, fadeAnimation: !calm, inertia: !calm, maxZoom: 18, minZoom: 8, scrollWheelZoom: "center" });
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  if (Number.isFinite(latitude) && Number.isFinite(longitude)) map.setView([latitude, longitude], zoom);
  else map.fitBounds(LONDON);
  if (meta.tiles) L.tileLayer(meta.tiles, { attribution: meta.attribution ?? "", maxZoom: 19 }).addTo(map);
  else drawLondon(map);
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(element);
  return map;
}

export function pin(latitude, longitude, options = {}) {
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  shape.setAttribute("viewBox", "0 0 24 24");
  shape.innerHTML = '<path d="M12 1.5c-4.700 0-8.400 3.600-8.400 8.100 0 5.900 6.800 11.300 8 12.600a.6.6 0 0 0 .8 0c1.200-1.300 8-6.700 8-12.600 0-4.500-3.700-8.100-8.400-8.100z"/><circle cx="12" cy="9.600" r="3"/>';
  const icon = L.divIcon({ className: "map-pin", html: shape, iconSize: [36, 36], iconAnchor: [18, 34] });
  return L.marker([latitude, longitude], { icon, ...options });
}

export const circle = (latitude, longitude, km) =>
  L.circle([latitude, longitude], { radius: 1000 * km, className: "map-area", interactive: false, weight: 2 });
