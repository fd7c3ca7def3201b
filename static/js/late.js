// Parts of a page that are loaded when it needs them: late(() => import("./map.js")). A server that is away while one of
// them loads must not leave the page without it until a reload, so it is asked for again, at the latest in half a minute.
const FIRST = 500, MOST = 30_000;

// Until `most` ms have passed, or the page hears again.
function pause(most) {
  return new Promise((over) => {
    const timer = setTimeout(over, most);
    document.addEventListener("live:hears", () => { clearTimeout(timer); over(); }, { once: true });
  });
}

// What fails to arrive fails anew each time; a module that throws throws the very same error again, and that is a fault.
export async function late(load, wait = FIRST, before = null) {
  try {
    return await load();
  } catch (error) {
    if (error === before || !(error instanceof TypeError)) throw error;
    await pause(wait);
    return late(load, Math.min(2 * wait, MOST), error);
  }
}
