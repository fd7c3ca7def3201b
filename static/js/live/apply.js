// The fragments of a frame onto the page, each by itself: a malformed one does not stop the others.
import { after, before } from "./effects.js";
import { isAbove, isInOrder, listAround, listFor, makeRoom, putInOrder, shiftsOthers } from "./lists.js";
import { withdraw } from "./pill.js";
import { refresh, refreshSoon } from "./refresh.js";
import { swap } from "./swap.js";
import { isOlder, remember } from "./versions.js";
import { forget, forgetTopic, hold, isBusy, isPointedAt } from "./waiting.js";

export function apply(fragments) {
  for (const fragment of fragments) {
    try {
      take(fragment);
    } catch (error) {
      console.error("A live fragment could not be shown.", fragment?.id, error);
    }
  }
}

function take(fragment) {
  const { id } = fragment;
  if (isOlder(id, fragment.v)) return;
  const element = document.getElementById(id);
  if (element && isBusy(element)) {
    remember(id, fragment.v);
    hold(id, () => !stillBusy(id), () => apply([fragment]), fragment.topic);
    return;
  }
  forget(id);
  forget(placing(id));
  if (fragment.html === null) remove(fragment, element);
  else if (element) replace(fragment, element);
  else insert(fragment);
}

function stillBusy(id) {
  const element = document.getElementById(id);
  return element !== null && isBusy(element);
}

function remove(fragment, element) {
  remember(fragment.id, fragment.v);
  if (element === null) return;
  const list = listAround(element);
  const hadFocus = element.contains(document.activeElement);
  if (list) element.remove();
  else element.replaceWith(absent(fragment));
  if (hadFocus && list) { list.tabIndex = -1; list.focus({ preventScroll: true }); }
}

// What stands for a single element that is not there, as the server paints it: without its place it could not return.
function absent({ id, live, topic, v }) {
  const place = document.createElement("div");
  place.id = id;
  Object.assign(place.dataset, { live, topic, version: v, liveAbsent: "" });
  place.hidden = true;
  return place;
}

function replace(fragment, element) {
  const was = before(element);
  const fresh = swap(fragment.id, fragment.html);
  remember(fragment.id, fragment.v);
  const list = listAround(fresh);
  if (list && list.dataset.new !== "pill") settleIn(list, fresh);
  if (after(was, fresh)) refresh();
}

const placing = (id) => `order of ${id}`;

function settleIn(list, item) {
  if (isInOrder(list, item)) return;
  const { id, dataset } = item;
  if (isPointedAt(list)) hold(placing(id), () => !isPointedAt(list), () => place(list, id), dataset.topic);
  else putInOrder(list, item);
}

// What stands there now: the item may have been swapped or removed since.
function place(list, id) {
  const item = document.getElementById(id);
  if (item && listAround(item) === list) putInOrder(list, item);
}

function insert(fragment) {
  const { id, html } = fragment;
  const list = listFor(fragment);
  if (!list) return;
  if (list.dataset.new === "pill") {
    refreshSoon();
    return;
  }
  if (isAbove(list, html, id)) return;
  if (shiftsOthers(list, html, id) && isPointedAt(list)) {
    hold(id, () => !isPointedAt(list), () => apply([fragment]), fragment.topic);
    return;
  }
  const room = makeRoom(list, html, id);
  try {
    const fresh = swap(id, html);
    remember(id, fragment.v);
    after(null, fresh);
  } catch (error) {
    room.remove();
    throw error;
  }
}

const BARE = new Set(["id", "data-live", "data-live-list", "data-topic"]);

// Topics that are no longer ours: what they showed goes at once, whatever it is doing, and what waits to be shown.
export function clear(topics) {
  for (const topic of topics) {
    forgetTopic(topic);
    for (const element of document.querySelectorAll(`[data-topic="${CSS.escape(topic)}"]`)) strip(element);
  }
}

function strip(element) {
  forget(element.id);
  withdraw(element.id);
  if (element.dataset.version) remember(element.id, element.dataset.version);
  element.replaceChildren();
  for (const name of element.getAttributeNames()) if (!BARE.has(name)) element.removeAttribute(name);
  element.hidden = true;
  element.dataset.gone = "";
}
