// Just enough TopoJSON for our two files: arcs of deltas, joined to rings and lines of [latitude, longitude].
function decoded({ arcs, transform: { scale, translate } }) {
  return arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [y * scale[1] + translate[1], x * scale[0] + translate[0]];
    });
  });
}

// A negative index is the arc ~index, backwards; neighbours share their end point.
function joined(arcs, indexes) {
  const points = [];
  for (const index of indexes) {
    const arc = index < 0 ? [...arcs[~index]].reverse() : arcs[index];
    points.push(...(points.length ? arc.slice(1) : arc));
  }
  return points;
}

export function polygons(topology) {
  const arcs = decoded(topology);
  const [{ geometries }] = Object.values(topology.objects);
  return geometries.map(({ id, type, arcs: parts }) => ({
    name: id,
    rings: (type === "Polygon" ? [parts] : parts).map((rings) => rings.map((ring) => joined(arcs, ring))),
  }));
}

export function lines(topology) {
  const arcs = decoded(topology);
  const [{ geometries }] = Object.values(topology.objects);
  return geometries.map((line) => joined(arcs, line.arcs));
}

const crosses = ([aLat, aLng], [bLat, bLng], latitude, longitude) =>
  (aLat > latitude) !== (bLat > latitude) && longitude < ((bLng - aLng) * (latitude - aLat)) / (bLat - aLat) + aLng;

function within(ring, latitude, longitude) {
  let odd = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    if (crosses(ring[i], ring[j], latitude, longitude)) odd = !odd;
  }
  return odd;
}

export const inside = (parts, latitude, longitude) =>
  parts.some((rings) => within(rings[0], latitude, longitude) && !rings.slice(1).some((hole) => within(hole, latitude, longitude)));
