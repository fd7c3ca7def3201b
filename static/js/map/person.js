// Somebody on a map: an arrow where they head while they move, a dot while they stand, dim and grey once it is old; a tap
// on it shows how exact it is.
import { L } from "./base.js";
import { Glider } from "./glide.js";

const SVG = "http://www.w3.org/2000/svg";

function shape() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 44 44");
  svg.innerHTML = '<path class="who-arrow" d="M22 5 35 37 22 30 9 37z"/><circle class="who-dot" cx="22" cy="22" r="11"/><circle class="who-eye" cx="22" cy="22" r="4"/>';
  return svg;
}

export class Person {
  constructor(map, { name, latitude, longitude }) {
    const icon = L.divIcon({ className: "map-who", html: shape(), iconSize: [44, 44], iconAnchor: [22, 22] });
    this.map = map;
    this.marker = L.marker([latitude, longitude], { icon, title: name, alt: name, zIndexOffset: 1000 }).addTo(map);
    this.glider = new Glider(this.marker);
    this.ring = null;
    this.marker.on("click", () => this.toggleRing());
  }

  get element() { return this.marker.getElement(); }
  get place() { return this.marker.getLatLng(); }

  show({ latitude, longitude, heading, accuracy, state }) {
    this.glider.to(latitude, longitude);
    this.accuracy = accuracy;
    this.element.dataset.ageState = state;
    this.element.toggleAttribute("data-moving", Number.isFinite(heading));
    if (Number.isFinite(heading)) this.element.firstElementChild.style.transform = `rotate(${heading}deg)`;
    this.ring?.setLatLng([latitude, longitude]).setRadius(accuracy || 0);
  }

  turn(state) { this.element.dataset.ageState = state; }

  toggleRing() {
    if (this.ring) { this.ring.remove(); this.ring = null; return; }
    if (this.accuracy > 0) this.ring = L.circle(this.place, { radius: this.accuracy, className: "map-area", interactive: false, weight: 1 }).addTo(this.map);
  }

  remove() {
    this.glider.stop();
    this.ring?.remove();
    this.marker.remove();
  }
}
