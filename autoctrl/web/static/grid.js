"use strict";
// Moves through the grid by the arrow keys. Without it each cell is a link of its own.
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const grid = document.getElementById("grid");

function cellsOf(row) {
  return [...row.cells];
}

function choose(link) {
  for (const other of grid.querySelectorAll("tbody a[tabindex='0']")) other.tabIndex = -1;
  link.tabIndex = 0;
}

function prepare() {
  const all = grid.querySelectorAll("tbody a");
  for (const link of all) link.tabIndex = -1;
  if (all.length) all[0].tabIndex = 0;
}

function find(rows, y, x, step) {
  for (y += step[0], x += step[1]; rows[y] && rows[y].cells[x]; y += step[0], x += step[1]) {
    const link = rows[y].cells[x].querySelector("a");
    if (link) return link;
  }
  return null;
}

function edge(row, key) {
  const found = cellsOf(row).map((cell) => cell.querySelector("a")).filter(Boolean);
  return key === "Home" ? found[0] : found[found.length - 1];
}

grid.addEventListener("keydown", (event) => {
  const cell = event.target.closest("tbody td, tbody th");
  if (!cell || event.ctrlKey || event.altKey || event.metaKey) return;
  const rows = [...grid.querySelectorAll("tbody tr")];
  const row = cell.parentElement;
  let next = null;
  if (event.key in STEPS) next = find(rows, rows.indexOf(row), cell.cellIndex, STEPS[event.key]);
  else if (event.key === "Home" || event.key === "End") next = edge(row, event.key);
  else return;
  event.preventDefault();
  if (next) {
    choose(next);
    next.focus();
  }
});
grid.addEventListener("focusin", (event) => {
  if (event.target.closest("tbody")) choose(event.target);
});
new MutationObserver(prepare).observe(grid, { childList: true });
prepare();
