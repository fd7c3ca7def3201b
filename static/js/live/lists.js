// Live lists: where an item stands, and which list a new one belongs to.
import { tagOf, orderOf } from "./swap.js";

const items = (list) => [...list.querySelectorAll(":scope > [data-live]")];

export const listFor = (fragment) => [...document.querySelectorAll("[data-live-list]")].find(
  (list) => list.dataset.liveList === fragment.live && list.dataset.topic === fragment.topic,
);

export const listAround = (element) => element.parentElement?.closest("[data-live-list]") ?? null;

// Orders are compared as text; of equal ones the shorter id stands first, then ids as text, as in a fresh load.
function isBehind(item, order, id) {
  const other = item.dataset.order ?? "";
  if (other !== order) return other > order;
  return item.id.length === id.length ? item.id > id : item.id.length > id.length;
}

// The item before which the one called `id` stands; null: at the end.
function follower(list, order, id) {
  const others = items(list).filter((item) => item.id !== id);
  const after = order === undefined ? undefined : others.find((item) => isBehind(item, order, id));
  return after ?? list.querySelector(":scope > [data-live-empty]");
}

export function shiftsOthers(list, html, id) {
  const before = follower(list, orderOf(html, id), id);
  return Boolean(before && before.matches("[data-live]"));
}

// Whether an item belongs above all that the tail of a log shows: it comes with what is loaded there, if ever.
export function isAbove(list, html, id) {
  const first = list.querySelector(":scope > [data-live][data-version]");
  return list.dataset.part === "tail" && first !== null && (first.dataset.order ?? "") > (orderOf(html, id) ?? "");
}

// An empty element of the right kind in the right place, for the swap to fill.
export function makeRoom(list, html, id) {
  const room = document.createElement(tagOf(html, id));
  room.id = id;
  room.dataset.live = "";
  list.insertBefore(room, follower(list, orderOf(html, id), id));
  return room;
}

// After a change: move the item where its order says, unless it stands there.
export function putInOrder(list, item) {
  if (!isInOrder(list, item)) list.insertBefore(item, follower(list, item.dataset.order, item.id));
}

export const isInOrder = (list, item) =>
  item.dataset.order === undefined || item.nextElementSibling === follower(list, item.dataset.order, item.id);
