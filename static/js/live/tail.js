// Lists that show only the end of something longer (data-part="tail"): when the page asks itself again, what was
// loaded above stays, and so does what stands there only in this page (a message on its way).
import { makeRoom } from "./lists.js";
import { essence, swap } from "./swap.js";
import { isOlder } from "./versions.js";

const shown = (list) => [...list.querySelectorAll(":scope > [data-live][data-version]")];

export function takeTail(list, fresh) {
  const renewed = new Map(shown(fresh).map((item) => [item.id, item]));
  const first = shown(fresh)[0]?.dataset.order ?? "";
  const here = shown(list);
  // Nothing in common: something is missing in between, so what stands above would not join what comes.
  const joins = here.some((item) => renewed.has(item.id));
  for (const item of here) {
    const again = renewed.get(item.id);
    if (!again && (!joins || item.dataset.order >= first)) item.remove();
    else if (again && !isOlder(item.id, again.dataset.version) && essence(item) !== essence(again)) swap(item.id, again.outerHTML);
  }
  for (const item of renewed.values()) {
    if (document.getElementById(item.id)) continue;
    makeRoom(list, item.outerHTML, item.id);
    swap(item.id, item.outerHTML);
  }
}
