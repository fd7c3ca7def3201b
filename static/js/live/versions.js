// Which of two renderings is newer. Equal or newer wins; a removal leaves its version behind, so that an
// older rendering cannot bring the element back.
const known = new Map();

function parsed(text) {
  try { return BigInt(text); } catch { return 0n; } // no version: older than any
}

function latest(id) {
  const shown = document.getElementById(id)?.dataset.version;
  const remembered = known.get(id) ?? -1n;
  const onPage = shown === undefined ? -1n : parsed(shown);
  return remembered > onPage ? remembered : onPage;
}

export const isOlder = (id, version) => parsed(version) < latest(id);

export function remember(id, version) {
  if (!isOlder(id, version)) known.set(id, parsed(version));
}

// The same rule for out-of-band swaps that reach the page by any other answer.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const fresh = event.detail.fragment?.firstElementChild;
  const version = fresh?.dataset?.version;
  if (version === undefined) return;
  if (isOlder(event.detail.target.id, version)) event.detail.shouldSwap = false;
  else remember(event.detail.target.id, version);
});
