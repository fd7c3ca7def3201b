// A canvas over the map that draws everybody in one pass: no element for a marker, so five hundred glide as one.
import { L } from "../map/base.js";
import { clusters } from "./fleet-clusters.js";
import { begin, draw, drawChosen, drawGroup, palette } from "./fleet-shapes.js";

const JUMP = 500; // metres: a step glides, a jump snaps
const [LEAST, MOST] = [300, 2500]; // ms of a glide
const TOGETHER = 30; // pixels: nearer markers are one
const PICTURE = 30; // ms between two pictures of a glide
const REACH = 22; // pixels around a tap
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class FleetLayer {
  constructor(map, legend) {
    Object.assign(this, { map, legend, items: new Map(), groups: [], chosen: null, frame: 0, until: 0, painted: 0 });
    // Leaflet's own canvas renderer places, scales and animates the canvas with the map; only what it draws is ours.
    map.createPane("fleet"); // above the names of boroughs, below what opens; see fleet.css
    this.canvas = L.canvas({ padding: 0.3, pane: "fleet" });
    this.canvas._updatePaths = () => this.paint();
    this.canvas._redraw = () => this.paint();
    this.canvas._draw = () => this.paint();
    this.canvas.addTo(map);
    this.recolour();
    for (const [target, event] of [[matchMedia("(prefers-color-scheme: dark)"), "change"], [document, "click"]]) target.addEventListener(event, () => setTimeout(() => this.recolour()));
    map.on("zoomend", () => { this.regroup(); this.paint(); });
  }

  // The theme's colours, when it may have changed: asked for with every picture they would cost more than the drawing.
  recolour() {
    const theme = `${document.documentElement.dataset.theme} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
    if (theme === this.theme) return;
    this.theme = theme;
    this.colours = palette(this.legend);
    this.paint();
  }

  // Take over what there is: `fresh` is a list of what `drawn` and `readLegs` give.
  show(fresh, chosen) {
    const before = this.items;
    const now = performance.now();
    this.items = new Map(fresh.map((item) => [item.id, this.moved(before.get(item.id), item, now)]));
    this.chosen = chosen;
    this.regroup();
    this.animate();
  }

  moved(was, item, now) {
    const target = L.latLng(item.lat, item.lng);
    const still = { ...item, target, from: target, at: now, span: 0, heard: was?.heard ?? now };
    if (!was) return still;
    if (was.target.equals(target, 0)) return { ...still, from: was.from, at: was.at, span: was.span };
    still.heard = now;
    const from = this.place(was, now);
    const metres = from.distanceTo(target);
    if (calm.matches || document.hidden || metres > JUMP || metres < 0.5) return still;
    const span = Math.min(Math.max(now - was.heard, LEAST), MOST);
    this.until = Math.max(this.until, now + span);
    return { ...still, from, span };
  }

  place({ from, target, at, span }, now) {
    const part = span ? Math.min((now - at) / span, 1) : 1;
    return L.latLng(from.lat + (target.lat - from.lat) * part, from.lng + (target.lng - from.lng) * part);
  }

  // Who stands with whom is decided when something arrives or the zoom changes, not in every picture: it would flicker.
  regroup() {
    const zoom = this.map.getZoom();
    const points = [...this.items.values()].map((item) => {
      const { x, y } = this.map.project(item.target, zoom);
      return { id: item.id, x, y, alone: item.id === this.chosen || item.look === "leg" };
    });
    this.groups = clusters(points, TOGETHER).map((group) => group.map(({ id }) => id));
  }

  animate() {
    cancelAnimationFrame(this.frame);
    const step = (now) => {
      if (now - this.painted > PICTURE || now >= this.until) this.paint(now);
      if (performance.now() < this.until) this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  paint(now = performance.now()) {
    this.painted = now;
    const { _ctx: ctx, _bounds: bounds } = this.canvas;
    if (!ctx || !bounds || !this.colours || this.map._animatingZoom) return;
    const size = bounds.getSize();
    begin(ctx);
    ctx.clearRect(bounds.min.x, bounds.min.y, size.x, size.y);
    this.onScreen = this.placed(performance.now());
    for (const thing of this.onScreen) {
      if (thing.items) drawGroup(ctx, thing, this.colours);
      else if (thing.id === this.chosen) drawChosen(ctx, thing, this.colours, this.pixels(thing));
      if (!thing.items) draw(ctx, thing, this.colours);
    }
  }

  // Everything with its place in the picture, from the bottom to the top: groups, legs, people, the chosen one.
  placed(now) {
    const spot = (item) => { const { x, y } = this.map.latLngToLayerPoint(this.place(item, now)); return { ...item, x, y }; };
    const things = this.groups.map((ids) => {
      const items = ids.map((id) => spot(this.items.get(id)));
      if (items.length === 1) return items[0];
      const mean = (axis) => items.reduce((sum, item) => sum + item[axis], 0) / items.length;
      return { items, x: mean("x"), y: mean("y") };
    });
    const depth = (thing) => (thing.items ? 0 : thing.leg ? 1 : thing.id === this.chosen ? 3 : 2);
    return things.sort((a, b) => depth(a) - depth(b));
  }

  pixels({ lat, accuracy }) {
    const metres = (40_075_017 * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** this.map.getZoom());
    return (accuracy ?? 0) / metres;
  }

  // What is under a tap, the topmost first.
  at(point) {
    const near = ({ x, y }) => Math.hypot(x - point.x, y - point.y);
    const hits = (this.onScreen ?? []).filter((thing) => near(thing) < REACH);
    return hits.sort((a, b) => near(a) - near(b))[0] ?? null;
  }
}
