// How things look on the desk's map. Colours come from the legend beside it (so they follow the theme); shapes say the
// same without colour: a ring is available, a disc busy, a diamond a technician, a square a leg, an arrow moves.
export const RADIUS = 9;
const TURN = 2 * Math.PI;

export function palette(legend) {
  const colours = Object.fromEntries([...legend.querySelectorAll("[data-look]")].map((each) => [each.dataset.look, getComputedStyle(each.querySelector("i")).color]));
  const { color, backgroundColor } = getComputedStyle(legend);
  return { ...colours, ink: color, ground: backgroundColor };
}

function circle(ctx, { x, y }, radius) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, TURN);
}

function diamond(ctx, { x, y }, size) {
  ctx.beginPath();
  for (const [dx, dy] of [[0, -size], [size, 0], [0, size], [-size, 0]]) ctx.lineTo(x + dx, y + dy);
  ctx.closePath();
}

function arrow(ctx, { x, y }, heading) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate((heading * Math.PI) / 180);
  ctx.beginPath();
  for (const [dx, dy] of [[0, -RADIUS - 9], [8, -RADIUS + 2], [-8, -RADIUS + 2]]) ctx.lineTo(dx, dy);
  ctx.closePath();
  ctx.fill();
  ctx.restore();
}

// One person, or one leg.
export function draw(ctx, item, colours) {
  const old = item.state === "stale" || item.state === "lost";
  const colour = old ? colours.stale : colours[item.look];
  ctx.globalAlpha = item.state === "lost" ? 0.55 : 1;
  ctx.lineWidth = 3;
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  if (item.moving && !old) arrow(ctx, item, item.heading);
  if (item.look === "traveller") diamond(ctx, item, RADIUS + 2);
  else if (item.look === "leg") { ctx.beginPath(); ctx.rect(item.x - 8, item.y - 8, 16, 16); }
  else circle(ctx, item, RADIUS);
  ctx.fillStyle = item.look === "available" || item.look === "leg" ? colours.ground : colour;
  ctx.fill();
  ctx.setLineDash(item.state === "lost" ? [4, 3] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  if (item.look === "leg") word(ctx, "!", item, colour);
  ctx.globalAlpha = 1;
}

// Once for a picture: the browser reads a font anew each time it is set.
export function begin(ctx) {
  ctx.font = "700 13px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
}

function word(ctx, text, { x, y }, colour) {
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y + 0.5);
}

// A group: its number, and around it how many of them are busy.
export function drawGroup(ctx, group, colours) {
  const radius = RADIUS + 6 + Math.min(group.items.length, 40) / 5;
  const busy = group.items.filter(({ look }) => look === "busy").length / group.items.length;
  circle(ctx, group, radius);
  ctx.fillStyle = colours.ground;
  ctx.fill();
  ctx.lineWidth = 4;
  ctx.strokeStyle = colours.available;
  ctx.stroke();
  if (busy) {
    ctx.beginPath();
    ctx.arc(group.x, group.y, radius, -TURN / 4, -TURN / 4 + TURN * busy);
    ctx.strokeStyle = colours.busy;
    ctx.stroke();
  }
  word(ctx, String(group.items.length), group, colours.ink);
}

// Around the chosen one: a halo, how exact the position is, and the name.
export function drawChosen(ctx, item, colours, metres) {
  if (metres > RADIUS + 8) {
    circle(ctx, item, metres);
    ctx.globalAlpha = 0.15;
    ctx.fillStyle = colours.ink;
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  circle(ctx, item, RADIUS + 7);
  ctx.lineWidth = 3;
  ctx.strokeStyle = colours.ink;
  ctx.stroke();
  ctx.lineWidth = 4;
  ctx.strokeStyle = colours.ground;
  ctx.strokeText(item.name, item.x, item.y - RADIUS - 17);
  ctx.fillStyle = colours.ink;
  ctx.fillText(item.name, item.x, item.y - RADIUS - 17);
}
