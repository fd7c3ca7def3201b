// Markers move in place: a step glides, a jump snaps. So does everything for who wants less motion, and in a hidden tab.
import { L } from "./base.js";

const JUMP = 500; // metres
const LEAST = 300;
const MOST = 2500; // ms: a marker that is still gliding when the next fix comes sets off from where it is
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Glider {
  constructor(marker) { Object.assign(this, { marker, frame: 0, heard: 0, target: marker.getLatLng() }); }

  to(latitude, longitude) {
    const from = this.marker.getLatLng();
    const target = L.latLng(latitude, longitude);
    if (target.equals(this.target, 0)) return; // it is there, or on its way there
    this.target = target;
    const now = performance.now();
    const span = Math.min(Math.max(now - this.heard, LEAST), MOST);
    this.heard = now;
    cancelAnimationFrame(this.frame);
    const metres = from.distanceTo(target);
    if (calm.matches || document.hidden || metres > JUMP || metres < 0.5) { this.marker.setLatLng(target); return; }
    const step = (at) => {
      const part = Math.min(Math.max((at - now) / span, 0), 1);
      this.marker.setLatLng([from.lat + (target.lat - from.lat) * part, from.lng + (target.lng - from.lng) * part]);
      if (part < 1) this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  stop() { cancelAnimationFrame(this.frame); }
}
