"use strict";
// Brings the parts of a page that are marked data-live up to date. Without it, reload the page.
const EVERY_MS = 10000;

function isInUse(part) {
  const isTyped = [...part.querySelectorAll("input")].some((field) =>
    field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
  const isSelected = !getSelection().isCollapsed && part.contains(getSelection().anchorNode);
  const isOpen = [...part.querySelectorAll("details[open]")].some((one) => !one.hasAttribute("data-open"));
  return isTyped || isSelected || isOpen || part.contains(document.activeElement);
}

async function refresh() {
  if (document.hidden) return;
  const state = document.getElementById("connection");
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (next && next.innerHTML !== part.innerHTML && !isInUse(part)) part.innerHTML = next.innerHTML;
    }
    if (state) state.textContent = "";
  } catch {
    if (state) state.textContent = "The server does not answer; what you see may be old.";
  }
}

setInterval(refresh, EVERY_MS);
