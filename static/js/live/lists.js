// Live lists: where an item stands, and which list a new one belongs to.
import { tagOf, orderOf } from "./swap.js";

const items = (list) => [...list.querySelectorAll(":scope > [data-live]")];

export const listFor = (fragment) => [...document.querySelectorAll("[data-live-list]")].find(
  (list) => list.dataset.liveList === fragment.live && list.dataset.topic === fragment.topic,
);

export const listAround = (element) => element.parentElement?.closest("[data-live-list]") ?? null;

// The item before which one of this order stands; null: at the end. Orders are compared as text.
function follower(list, order, but) {
  const others = items(list).filter((item) => item !== but);
  const after = order === undefined ? undefined : others.find((item) => (item.dataset.order ?? "") > order);
  return after ?? list.querySelector(":scope > [data-live-empty]");
}

export function shiftsOthers(list, html, id) {
  const before = follower(list, orderOf(html, id));
  return Boolean(before && before.matches("[data-live]"));
}

// An empty element of the right kind in the right place, for the swap to fill.
export function makeRoom(list, html, id) {
  const room = document.createElement(tagOf(html, id));
  room.id = id;
  room.dataset.live = "";
  list.insertBefore(room, follower(list, orderOf(html, id)));
  return room;
}

// After a change: move the item where its order says, unless it stands there.
export function putInOrder(list, item) {
  if (!isInOrder(list, item)) list.insertBefore(item, follower(list, item.dataset.order, item));
}

export const isInOrder = (list, item) =>
  item.dataset.order === undefined || item.nextElementSibling === follower(list, item.dataset.order, item);
