"use strict";
// Follows a log: brings its last lines every three seconds, and stays at the end for who is there.
const EVERY_MS = 3000;
const SLACK_PX = 80;

function isAtEnd() {
  return innerHeight + scrollY >= document.documentElement.scrollHeight - SLACK_PX;
}

async function follow() {
  if (document.hidden) return;
  const state = document.getElementById("connection");
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [old, next] = [document.getElementById("log"), fresh.getElementById("log")];
    const isToldMore = next && next.innerHTML !== old.innerHTML;
    if (isToldMore && getSelection().isCollapsed) {
      const stay = isAtEnd();
      old.replaceWith(document.adoptNode(next));
      if (stay) scrollTo(0, document.documentElement.scrollHeight);
    }
    state.textContent = "";
  } catch {
    state.textContent = "The server does not answer; what you see may be old.";
  }
}

scrollTo(0, document.documentElement.scrollHeight);
setInterval(follow, EVERY_MS);
