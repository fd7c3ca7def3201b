// What a screen reader is told of somebody who is coming: at 15, 10 and 5 minutes, nearly there, out of sight and back.
// Never each position. The line that speaks ([data-ride-say]) stands outside of what is replaced.
const told = new Map(); // by journey: the least step, and the state

function say(id, text) {
  const line = document.querySelector(`[data-ride-say="${id}"]`);
  if (line && line.textContent !== text) line.textContent = text;
}

export function announce(id) {
  const trip = document.querySelector(`[data-trip="${id}"]`);
  if (!trip) return;
  const { name, step, ageState } = trip.dataset;
  const now = { step: trip.hasAttribute("data-near") ? 0 : step ? Number(step) : Infinity, lost: ageState === "lost" };
  const before = told.get(id);
  told.set(id, { step: Math.min(now.step, before?.step ?? Infinity), lost: now.lost });
  if (!before) return; // what the page said when it was loaded is read with it
  if (now.lost && !before.lost) say(id, `${name} is out of sight: nothing has come for a while.`);
  else if (before.lost && !now.lost) say(id, `${name} is in sight again.`);
  else if (now.step < before.step) say(id, now.step ? `${name} is about ${now.step} minutes away.` : `${name} is nearly there.`);
}
