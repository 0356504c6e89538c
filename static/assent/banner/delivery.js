/* Delivery: first in, first out. A refusal stays in the queue until it is saved; a yes may be lost. */

const parked = new Set();
let wait = 5000;
let running = null;
let delivered = "";
const deliver = () => running || (running = delivery().finally(() => { running = null; }));

async function delivery() {
  for (;;) {
    const entry = kept().queue.find(({ key }) => !parked.has(key));
    if (!entry) return;
    if (entry.yes && Date.now() - entry.at > DAY) { drop(entry); continue; }
    let status = 0;
    let document = null;
    try { ({ status, document } = await call("/choices", entry.body, entry.key)); } catch { /* tried again */ }
    delivered = document ? "saved" : status === 409 || status === 422 ? "elsewhere" : "not_saved";
    if (document) {
      settle(entry, document);
      wait = 5000;
    } else if (!status || status === 408 || status === 429 || status >= 500) {
      setTimeout(deliver, wait);
      wait = Math.min(wait * 2, 3e5);
      if (status !== 429) reachable = false;
      return;
    } else if (entry.yes) {
      drop(entry);
      await reread();
    } else {
      parked.add(entry.key); // kept, and tried again by the next page
    }
    tell();
  }
}

function drop(entry) {
  const state = kept();
  state.queue = state.queue.filter(({ key }) => key !== entry.key);
  keep(state);
}

function settle(entry, document) {
  accept(document);
  const state = kept();
  state.queue = state.queue.filter(({ key }) => key !== entry.key);
  for (const { purpose, choice, part } of entry.body.choices) {
    if (part) continue; // says nothing about the whole
    const now = confirmed[purpose] || {};
    // A refusal made elsewhere since this yes was clicked has another key, and stays.
    if (choice === "give" && now.state === "given" && state.no[purpose] === entry.saw[purpose]) delete state.no[purpose];
    // A yes that waits behind this answer was clicked after it, by somebody who saw it.
    for (const later of state.queue) {
      for (const next of later.body.choices) {
        if (next.choice === "give" && next.purpose === purpose && !next.part) next.supersedes = now.record;
      }
    }
  }
  keep(state);
}
