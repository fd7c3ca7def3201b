// A link to give away: in full, by the device's own sharing where it has that, else copied.
import { toast } from "../toast.js";

const whole = (path) => new URL(path, location.href).href;

async function give(url) {
  try {
    if (navigator.share) await navigator.share({ url, title: "On the way" });
    else { await navigator.clipboard.writeText(url); toast("The link is copied."); }
  } catch (error) {
    if (error?.name !== "AbortError") toast("Copying is not allowed here: press and hold the link.");
  }
}

function spell() {
  for (const link of document.querySelectorAll("a[data-share-link]")) {
    if (link.textContent !== whole(link.getAttribute("href"))) link.textContent = whole(link.getAttribute("href"));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-share-copy]");
  if (button) give(whole(button.dataset.shareCopy));
});
spell();
for (const event of ["live:applied", "htmx:oobAfterSwap"]) document.addEventListener(event, spell);
