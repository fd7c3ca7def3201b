// The screen stays on while somebody's position is collected: a phone that sleeps sends nothing.
let wanted = false;
let lock = null;

async function take() {
  if (!wanted || lock || document.visibilityState !== "visible" || !navigator.wakeLock) return;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => { lock = null; }); // hidden, or the battery is low
    if (!wanted) lock.release();
  } catch { lock = null; }
}

export function keepAwake(on) {
  wanted = on;
  if (on) take();
  else lock?.release();
}

document.addEventListener("visibilitychange", take);
