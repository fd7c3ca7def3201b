// Everything a page does beside its HTML. Each import is one behaviour.
import "./time.js";
import "./zone.js";
import "./toast.js";
import "./title.js";
import "./menu.js";
import "./forms.js";
import "./dialog.js";
import "./live.js";
import { late } from "./late.js";

// The map is large: only pages that show one load it.
if (document.querySelector("[data-map-pick], [data-map-show]")) late(() => import("./map.js"));

// The road: where somebody's position is collected, or offers come.
if (document.querySelector('[data-live="tracking.collecting"]')) late(() => import("./tracking/drive.js"));

// The age of positions, and the map of somebody who is coming.
if (document.querySelector('meta[name="live"]')) late(() => import("./tracking/page.js"));

// What was written and not sent yet is the person's own: whoever signs out leaves none of it behind.
if ("signedIn" in document.body.dataset) late(() => import("./chat/everywhere.js"));
else if (!document.body.matches(".shared-page")) { // who looks at a link they were given may be signed in elsewhere
  late(() => import("./chat/outbox.js")).then(({ forgetAll }) => forgetAll());
  late(() => import("./tracking/queue.js")).then(({ forgetAll }) => forgetAll());
}
