// What the desk's map draws, read from the page: positions from tracking's one fragment of JSON, what a driver is from
// their row, legs without a driver from the tray. The page's lists stay the truth; the map only shows them.
import { serverNow } from "../live/status.js";
import { stateOf } from "./ages.js";

const FIELDS = ["id", "lat", "lng", "accuracy", "heading", "speed", "fix", "seen", "trip", "kind", "name"];
const MOVING = 1; // metres a second
const number = (text) => (text === undefined || text === "" ? NaN : Number(text));

// Everybody whose position is collected, by id; null while the page has not been told.
export function readPeople() {
  const text = document.getElementById("tracking-fleet-all")?.textContent.trim();
  if (!text) return null;
  try {
    return new Map(JSON.parse(text).people.map((each) => [each[0], Object.fromEntries(FIELDS.map((name, at) => [name, each[at]]))]));
  } catch {
    return null;
  }
}

export function readLegs() {
  const items = [...document.querySelectorAll("#tray-rows > [data-leg][data-lat]")];
  return items.map(({ dataset }) => ({ id: `leg-${dataset.leg}`, leg: dataset.leg, lat: number(dataset.lat), lng: number(dataset.lng), name: dataset.name, look: "leg" }));
}

export const ageOf = (person) => Math.max(0, (serverNow() - person.seen) / 1000);
export const stateNow = (person) => (person.seen ? stateOf(ageOf(person)) : "lost");
export const isMoving = (person) => Number.isFinite(person.heading) && person.speed >= MOVING;
export const quality = (trip) => (trip === null ? "" : trip < 300 ? "good" : trip < 1000 ? "fair" : "poor");

// A person as the map draws them: what colour and shape, what name, how old.
export function drawn(person, row) {
  const look = person.kind === "t" ? "traveller" : row.dataset.load;
  return { ...person, look, name: person.name || row.dataset.name, state: stateNow(person), moving: isMoving(person) };
}
