// Follows the house: loads the same page again and puts its new parts in place, while nobody types or reads a detail.
"use strict";

const EVERY_MS = 3000;
const stale = document.getElementById("stale");

function fill(fresh, id) {
  const old = document.getElementById(id);
  const now = fresh.getElementById(id);
  if (old && now && old.innerHTML !== now.innerHTML) {
    const open = new Set([...old.querySelectorAll("details[open]")].map((one) => one.id));
    const scrolled = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    old.replaceWith(now);
    now.querySelectorAll("details").forEach((one) => { one.open = open.has(one.id); });
    now.querySelectorAll(".scroll").forEach((one, place) => { one.scrollLeft = scrolled[place] || 0; });
  }
}

function isBusy() {
  const focus = document.activeElement;
  const main = document.getElementById("main");
  const selected = getSelection();
  return document.hidden || (focus && focus !== document.body && main.contains(focus)) ||
    (selected && !selected.isCollapsed);
}

async function follow() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS) });
    if (answer.ok && !isBusy()) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      fill(fresh, "now");
      fill(fresh, "main");
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
  setTimeout(follow, EVERY_MS);
}

setTimeout(follow, EVERY_MS);
