// Markers that would lie on top of each other become one with a number. Pure: points in pixels in, groups out.

// `items` have x and y. Each group is a list of items; most have one. Every item joins the first group near enough, found
// by a grid of cells, so that five hundred cost no more than a look at their neighbours.
export function clusters(items, radius) {
  const cells = new Map();
  const groups = [];
  const key = (x, y) => `${Math.floor(x / radius)}:${Math.floor(y / radius)}`;
  const near = ({ x, y }) => {
    for (const dx of [-radius, 0, radius]) {
      for (const dy of [-radius, 0, radius]) {
        const found = cells.get(key(x + dx, y + dy))?.find(([first]) => Math.hypot(first.x - x, first.y - y) < radius);
        if (found) return found;
      }
    }
    return null;
  };
  for (const item of items) {
    const group = item.alone ? null : near(item);
    if (group) { group.push(item); continue; }
    const fresh = [item];
    groups.push(fresh);
    if (item.alone) continue;
    const at = key(item.x, item.y);
    if (cells.has(at)) cells.get(at).push(fresh);
    else cells.set(at, [fresh]);
  }
  return groups;
}
