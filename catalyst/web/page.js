// Follows the house: loads the same page again and puts its new parts in place. What a reader is about to do stays: the
// focus, open details, how far a table is scrolled, words typed into a field. While they type, select or press, the list
// waits, and the header says so.
"use strict";

const EVERY_MS = 3000;
const REACHED = "a[href], button, input, summary, [tabindex]"; // by the Tab key or a click
const stale = document.getElementById("stale");

function nameOf(one) {
  return one.tagName + (one.getAttribute("href") || one.name || one.getAttribute("aria-label") || one.textContent);
}

function alike(root, one) {
  return [...root.querySelectorAll(REACHED)].filter((other) => nameOf(other) === nameOf(one));
}

function isEdited(one) {
  return one.value !== one.defaultValue;
}

function fill(fresh, id) {
  const old = document.getElementById(id);
  const now = fresh.getElementById(id);
  if (!old || !now || old.innerHTML === now.innerHTML) {
    return;
  }
  const focused = document.activeElement;
  const place = old.contains(focused) ? alike(old, focused).indexOf(focused) : -1;
  const open = new Set([...old.querySelectorAll("details[open]")].map((one) => one.id));
  const scrolled = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  const typed = [...old.querySelectorAll("input")].filter(isEdited);
  old.replaceWith(now);
  now.querySelectorAll("details").forEach((one) => { one.open = open.has(one.id); });
  now.querySelectorAll(".scroll").forEach((one, number) => { one.scrollLeft = scrolled[number] || 0; });
  typed.forEach((one) => alike(now, one).forEach((other) => { other.value = one.value; }));
  if (place >= 0) {
    alike(now, focused)[place]?.focus({ preventScroll: true });
  }
}

// All of these end when the reader's hand does something else; a mere focus, as a click on a link leaves, does not.
function isBusy() {
  const focused = document.activeElement;
  const main = document.getElementById("main");
  const selected = getSelection();
  return (focused.tagName === "INPUT" && isEdited(focused)) || main.querySelector(":active") !== null ||
    (!selected.isCollapsed && main.contains(selected.anchorNode));
}

async function follow() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS) });
    if (answer.ok && !document.hidden) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const busy = isBusy();
      fill(fresh, "now");
      document.getElementById("held").hidden = !busy;
      if (!busy) {
        fill(fresh, "main");
      }
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
  setTimeout(follow, EVERY_MS);
}

setTimeout(follow, EVERY_MS);
