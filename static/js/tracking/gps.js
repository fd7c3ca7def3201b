// The device's own position: every few seconds on the move, every half minute at rest, at once when it is asked for.
const STILL = 10; // metres that a device at rest wanders
const WALK = 1; // metres a second
const LEAST = 1000; // ms between two
const SILENCE = 3000; // ms without an answer
const options = { enableHighAccuracy: true, maximumAge: 0, timeout: 30_000 };

const metres = (a, b) => {
  const rad = Math.PI / 180;
  const x = (b.longitude - a.longitude) * rad * Math.cos(((a.latitude + b.latitude) / 2) * rad);
  return 6_371_009 * Math.hypot(x, (b.latitude - a.latitude) * rad);
};

const isMoving = (now, was) => !was || (now.speed ?? 0) >= WALK
  || metres(was, now) > Math.max(STILL, (now.accuracy ?? 0) / 2);

// When a page of this browser last gave one, so that the next page keeps the pace; ms of this device's clock.
const KEY = "gps:given";
const remember = () => { try { localStorage.setItem(KEY, Date.now()); } catch { /* a private window */ } };
export const forgetPace = () => { try { localStorage.removeItem(KEY); } catch { /* nothing is kept */ } };
function lastGiven() {
  try { return Number(localStorage.getItem(KEY)); } catch { return 0; }
}

// `take(position)` is given what is to be sent; `tell(state)` what there is to say: "searching", "denied", "none" or the
// newest position. `moving` and `idle` are milliseconds.
export class Gps {
  constructor({ take, tell }) {
    Object.assign(this, { take, tell, watching: null, timer: 0, last: null, given: null, givenAt: -Infinity, asking: false, asked: 0, before: 0 });
  }

  get isOn() { return this.timer !== 0; }

  start({ moving, idle }) {
    Object.assign(this, { moving, idle });
    if (this.isOn) return;
    this.before = lastGiven();
    this.givenAt = performance.now() - Math.max(0, Date.now() - this.before);
    this.timer = setInterval(() => this.look(), 1000);
    this.watch();
  }

  watch() {
    if (!navigator.geolocation) { this.tell("none"); return; }
    this.tell("searching");
    this.asked = Date.now();
    this.watching = navigator.geolocation.watchPosition((found) => this.heard(found), (error) => this.failed(error), options);
    this.permission ??= navigator.permissions?.query({ name: "geolocation" }).then((status) => {
      status.onchange = () => { if (this.isOn && status.state === "granted") { this.unwatch(); this.watch(); } };
    }).catch(() => {});
  }

  unwatch() {
    if (this.watching !== null) navigator.geolocation.clearWatch(this.watching);
    this.watching = null;
  }

  stop() {
    clearInterval(this.timer);
    this.unwatch();
    Object.assign(this, { timer: 0, last: null, given: null, givenAt: -Infinity, asking: false });
  }

  // The desk asks: a fresh one, whatever the pace.
  now() {
    if (!this.isOn || !navigator.geolocation) return;
    this.givenAt = -Infinity;
    this.ask();
  }

  ask() {
    if (this.asking || !navigator.geolocation) return;
    this.asking = true;
    this.asked = Date.now();
    const answered = (act) => (what) => { this.asking = false; act(what); };
    navigator.geolocation.getCurrentPosition(
      answered((found) => this.heard(found)), answered(() => this.silent()), { ...options, timeout: SILENCE });
  }

  // A watch only speaks of changes: who stood still at the last reading still stands there. Of somebody who drove into
  // a tunnel nothing is made up.
  silent() {
    if (this.isOn && this.last && (this.last.coords.speed ?? 0) < WALK) this.heard({ coords: this.last.coords, timestamp: Date.now() });
  }

  heard(found) {
    if (!this.isOn) return; // an answer that came too late: nothing is collected any more
    // Asked for with a maximum age of 0 it was measured after that, whatever clock the receiver has.
    const timestamp = Math.max(found.timestamp, this.asked, (this.given?.timestamp ?? this.before) + LEAST);
    this.last = { coords: found.coords, timestamp };
    this.tell(this.last);
    this.look();
  }

  failed(error) {
    if (!this.isOn) return;
    if (error.code === error.PERMISSION_DENIED) { this.unwatch(); this.tell("denied"); } else if (!this.last) this.tell("searching");
  }

  look() {
    if (!this.last) return;
    const isNew = this.last !== this.given;
    const since = performance.now() - this.givenAt;
    if (!isNew && since >= this.idle) this.ask();
    if (isNew && since >= Math.max(LEAST, isMoving(this.last.coords, this.given?.coords) ? this.moving : this.idle)) this.give();
  }

  give() {
    this.given = this.last;
    this.givenAt = performance.now();
    remember();
    this.take(this.last);
  }
}
