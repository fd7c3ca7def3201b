// A driver's day on the map: the way as a line, where it began, and while the day goes on where they are now.
import { L, makeMap } from "../map/base.js";
import { Person } from "../map/person.js";
import { isMoving, readPeople, stateNow } from "./fleet-data.js";
import { write } from "./fleet-rows.js";

const frame = document.querySelector("[data-track]");
const GAP = 300_000; // ms: over a longer silence no line is drawn

const json = (url) => fetch(url, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : { points: [] }));

// The way in pieces, cut where nothing was heard.
function pieces(points) {
  const found = [];
  points.forEach(([at, lat, lng], index) => {
    if (!index || at - points[index - 1][0] > GAP) found.push([]);
    found.at(-1).push([lat, lng]);
  });
  return found;
}

class Track {
  constructor(points) { Object.assign(this, { points, seen: points.at(-1)?.[0] ?? 0, line: null, person: null }); }

  // The map comes with the first thing to be seen on it.
  async open({ lat, lng }) {
    this.map ??= makeMap(frame, { latitude: lat, longitude: lng, zoom: 14 });
    const map = await this.map;
    this.line ??= L.polyline(pieces(this.points), { className: "track-line", weight: 4, interactive: false }).addTo(map);
    return map;
  }

  async past() {
    const [first] = this.points;
    if (!first) return;
    const map = await this.open({ lat: first[1], lng: first[2] });
    L.circleMarker([first[1], first[2]], { className: "track-start", radius: 6, interactive: false }).addTo(map);
    map.fitBounds(this.line.getBounds(), { padding: [30, 30], maxZoom: 15 });
  }

  // Where the driver is now; nothing while nothing is collected.
  async now() {
    const here = readPeople()?.get(Number(frame.dataset.driver));
    if (!here || here.lat === null) { this.person?.remove(); this.person = null; return; }
    const lines = document.querySelector(".driver-now");
    if (lines) write(lines, here);
    const map = await this.open(here);
    this.person ??= new Person(map, { name: frame.dataset.name, latitude: here.lat, longitude: here.lng });
    this.person.show({ latitude: here.lat, longitude: here.lng, heading: isMoving(here) ? here.heading : NaN, accuracy: here.accuracy, state: stateNow(here) });
    this.lengthen(here);
  }

  lengthen({ lat, lng, fix }) {
    if (fix <= this.seen) return;
    const ways = this.line.getLatLngs();
    if (!ways.length || !Array.isArray(ways[0]) || fix - this.seen > GAP) ways.push([]);
    ways.at(-1).push(L.latLng(lat, lng));
    this.line.setLatLngs(ways);
    this.seen = fix;
  }
}

async function start() {
  const track = new Track((await json(frame.dataset.track)).points);
  await track.past();
  const now = () => track.now();
  await now();
  document.addEventListener("live:applied", now);
  setInterval(now, 5000); // it grows old with nothing new coming in
}

if (frame) start();
