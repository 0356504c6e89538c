/* Another window chose, or the page came back from the browser's memory. */

async function changedElsewhere() {
  tell();
  if (kept().queue.length) return;
  await reread();
  if (isOpen() && !mustAsk() && !(hasNew() && shownView === "new") && shownView !== "choose") close(false);
  tell();
}

async function start() {
  await Promise.all([
    readLayout(),
    reread(),
    document.readyState === "loading" && new Promise((done) => document.addEventListener("DOMContentLoaded", done)),
  ]);
  await refresh();
  if (layout && !kept().id) reachable = true;
  ready = true;
  tell();
  if (mustAsk() && !gpc()) show("ask", "", document.activeElement === document.body);
  else if (gpc() && layout && place && !kept().seen) show("signal", "", document.activeElement === document.body);
  else if (hasNew()) show("new", "", document.activeElement === document.body);
  await deliver();
  tell();
}

// The signal may come late, by an extension or a setting: what is shown and said follows it.
function lookAgain() {
  if (!ready) return;
  if (isOpen() && shownView === "ask" && gpc()) show("signal", "", false);
  tell();
}
for (const moment of ["load", "focus", "pointerdown"]) addEventListener(moment, lookAgain, true);

const then = (promise) => promise.then(state);
window.assent = Object.freeze({
  state,
  ask,
  give: (purposes, { explicit = false } = {}) => {
    const wanted = each(purposes || slugs().filter((slug) => !sensitive().includes(slug)), true);
    return then(choose(wanted, { explicit: explicit ? Object.keys(wanted) : [] }));
  },
  refuse: (purposes) => then(choose(each(purposes, false))),
  withdraw: (purposes) => then(choose(each(purposes, false))),
  on(listener) {
    const heard = (event) => listener(event.detail);
    document.addEventListener("assent:change", heard);
    if (ready) listener(state());
    return () => document.removeEventListener("assent:change", heard);
  },
});

addEventListener("storage", (event) => { if (event.key === KEY || event.key === null) changedElsewhere(); });
addEventListener("pageshow", (event) => { if (event.persisted) changedElsewhere(); });
// Only localStorage tells other windows of a change.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && ready && place && place !== local) changedElsewhere();
});
addEventListener("online", () => { if (ready) deliver().then(tell); });
start();
