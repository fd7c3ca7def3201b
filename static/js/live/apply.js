// The fragments of a frame onto the page, each by itself: a malformed one does not stop the others.
import { after, before } from "./effects.js";
import { isInOrder, listAround, listFor, makeRoom, putInOrder, shiftsOthers } from "./lists.js";
import { refresh, refreshSoon } from "./refresh.js";
import { swap } from "./swap.js";
import { isOlder, remember } from "./versions.js";
import { forget, hold, isBusy, isPointedAt } from "./waiting.js";

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
    hold(id, () => !stillBusy(id), () => apply([fragment]));
    return;
  }
  forget(id);
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
  element.remove();
  if (hadFocus && list) { list.tabIndex = -1; list.focus({ preventScroll: true }); }
}

function replace(fragment, element) {
  const was = before(element);
  const fresh = swap(fragment.id, fragment.html);
  remember(fragment.id, fragment.v);
  const list = listAround(fresh);
  if (list && list.dataset.new !== "pill") settleIn(list, fresh);
  if (after(was, fresh)) refresh();
}

function settleIn(list, item) {
  if (isInOrder(list, item)) return;
  if (isPointedAt(list)) hold(`order of ${item.id}`, () => !isPointedAt(list), () => putInOrder(list, item));
  else putInOrder(list, item);
}

function insert(fragment) {
  const { id, html } = fragment;
  const list = listFor(fragment);
  if (!list) return;
  if (list.dataset.new === "pill") {
    refreshSoon();
    return;
  }
  if (shiftsOthers(list, html, id) && isPointedAt(list)) {
    hold(id, () => !isPointedAt(list), () => apply([fragment]));
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

// Topics that are no longer ours: what they showed goes at once, whatever it is doing.
export function clear(topics) {
  for (const topic of topics) {
    for (const element of document.querySelectorAll(`[data-topic="${CSS.escape(topic)}"]`)) {
      forget(element.id);
      element.replaceChildren();
      element.hidden = true;
      element.dataset.gone = "";
    }
  }
}
