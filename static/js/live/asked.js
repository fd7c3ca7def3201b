// The hellos and follows on their way, by number; their answers carry it back. Until they are answered the page
// stands no further than the oldest of them, whatever cursor a push or a poll brings meanwhile.
const open = new Map(); // number -> the cursor it asked from
let number = 0;
let greeting = 0; // the newest hello
let begun = false; // its answer has

// A hello asks about all that the page follows: it takes the place of everything asked before it.
export function hello(cursor) {
  open.clear();
  begun = false;
  greeting = follow(cursor);
  return greeting;
}

export function follow(cursor) {
  number += 1;
  open.set(number, cursor);
  return number;
}

// `i` was answered, or with `more` in part.
export function answer(i, more) {
  if (i === greeting) begun = true;
  if (!more) open.delete(i);
}

// Returns whether anything was on its way.
export function forget() {
  const any = open.size > 0;
  open.clear();
  return any;
}

export const oldest = () => open.values().next().value;

// Whether the server still owes us a welcome: it heeds no follow before.
export const isGreeting = () => open.has(greeting) && !begun;

// A newer hello asked for all of that again.
export const isReplaced = (i) => i < greeting;
