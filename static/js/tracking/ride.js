// The map of somebody who is coming: [data-ride-map="7"] shows what [data-trip="7"] says, the words beside it. It is fitted
// once and then moves only by hand, or while Follow is on, which a drag turns off. When the words go, the marker goes.
import { L, makeMap, pin } from "../map/base.js";
import { Person } from "../map/person.js";
import { announce } from "./steps.js";

const rides = new Map(); // by journey
const number = (text) => (text === undefined || text === "" ? NaN : Number(text));

function reading(id) {
  const { latitude, longitude, heading, accuracy, ageState, name } = document.querySelector(`[data-trip="${id}"]`)?.dataset ?? {};
  const [lat, lng] = [number(latitude), number(longitude)];
  if (!Number.isFinite(lat) || !Number.isFinite(lng)) return null;
  return { latitude: lat, longitude: lng, heading: number(heading), accuracy: number(accuracy), state: ageState, name };
}

class Ride {
  constructor(id, element) {
    Object.assign(this, { id, element, map: null, person: null, fitted: false, following: false });
    const { latitude, longitude, label } = element.dataset;
    this.end = [number(latitude), number(longitude)];
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", `Map: the way to ${label}. The words above say the same.`);
    this.draw();
  }

  async draw() {
    const map = await makeMap(this.element, { latitude: this.end[0], longitude: this.end[1] });
    if (rides.get(this.id) !== this) { map.remove(); return; }
    this.map = map;
    this.element.ride = this;
    pin(...this.end, { keyboard: false, interactive: false }).addTo(map);
    map.on("dragstart zoomstart", () => { if (!this.moving) this.fitted = true; }); // their view: it is not fitted any more
    map.on("dragstart", () => this.follow(false));
    this.show();
    this.button();
  }

  show() {
    const now = reading(this.id);
    if (!this.map) return;
    if (!now) { this.person?.remove(); this.person = null; return; }
    this.person ??= new Person(this.map, now);
    this.person.show(now);
    if (!this.fitted) this.fit(now);
    else if (this.following) this.move(() => this.map.panTo([now.latitude, now.longitude]));
  }

  fit({ latitude, longitude }) {
    this.fitted = true;
    this.move(() => this.map.fitBounds(L.latLngBounds([[latitude, longitude], this.end]), { padding: [48, 48], maxZoom: 15, animate: false }));
  }

  move(how) { this.moving = true; how(); this.moving = false; }

  follow(on) {
    this.following = on;
    this.button();
    const now = on && reading(this.id);
    if (now) this.move(() => this.map.panTo([now.latitude, now.longitude]));
  }

  button() {
    const button = document.querySelector(`[data-ride-follow="${this.id}"]`);
    if (!button) return;
    button.hidden = !this.person;
    button.setAttribute("aria-pressed", String(this.following));
    button.onclick = () => this.follow(!this.following);
  }

  leave() {
    rides.delete(this.id);
    this.person?.remove();
    this.map?.remove();
    this.element.remove();
  }
}

function look() {
  for (const place of document.querySelectorAll("[data-ride-map]:not([data-map])")) {
    const id = place.dataset.rideMap;
    const known = rides.get(id);
    if (known) place.replaceWith(known.element); // the card was drawn anew: the map stays as it was left
    else { place.dataset.map = ""; rides.set(id, new Ride(id, place)); }
  }
  for (const ride of [...rides.values()]) {
    if (!ride.element.isConnected || !document.querySelector(`[data-trip="${ride.id}"]`)) ride.leave();
    else { ride.show(); ride.button(); announce(ride.id); }
  }
}

look();
for (const event of ["live:applied", "htmx:oobAfterSwap"]) document.addEventListener(event, look);
document.addEventListener("age:turned", ({ target, detail }) => {
  rides.get(target.dataset.trip)?.person?.turn(detail);
  if (target.dataset.trip) announce(target.dataset.trip);
});
