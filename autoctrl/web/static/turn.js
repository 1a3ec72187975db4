"use strict";
// The arrow keys turn to the neighbouring page, as its links do.
const KEYS = { ArrowLeft: "prev", ArrowRight: "next" };

addEventListener("keydown", (event) => {
  const isPlain = !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
  const isTyped = event.target.closest("input, select, textarea, .scroll");
  const link = isPlain && !isTyped && document.querySelector(`a[rel="${KEYS[event.key]}"]`);
  if (link) location.href = link.href;
});
