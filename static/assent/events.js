/* Sender of events from a page to the site's own server, which passes them on with its credential.
   <script src="https://privacy.example/static/assent/events.js" data-to="/events" defer></script>
   assentEvents.send({type: "view", item: "kettle"});
   Events of a page form a stream and are numbered, so the server knows how many never arrived. Nothing is kept in the
   browser, and nothing is sent before the visitor has agreed to `data-purpose` where the banner is on the page. */
(() => {
  "use strict";
  const script = document.currentScript;
  const target = script.dataset.to;
  const purpose = script.dataset.purpose || "recommendations";
  const MOST = 50, WAIT_MS = 2000, LAST_WAIT_MS = 60000, KEPT = 500;
  const stream = crypto.randomUUID();
  let waiting = [], underWay = false, number = 0, wait = WAIT_MS, timer = null;

  const mayCollect = () => !window.assent || window.assent.state().given.includes(purpose);

  const later = () => {
    if (timer === null && waiting.length) timer = setTimeout(flush, wait);
  };

  const body = (events) => JSON.stringify({ stream, purpose, events });

  async function flush() {
    timer = null;
    if (underWay || !waiting.length) return;
    underWay = true;
    const events = waiting.slice(0, MOST);
    try {
      const answer = await fetch(target, {
        method: "POST", headers: { "content-type": "application/json" }, body: body(events), keepalive: true,
      });
      // What the server refuses for good is not sent again; what it could not take now is.
      if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
      waiting = waiting.filter((each) => !events.includes(each));  // it may have been sent or emptied meanwhile
      wait = WAIT_MS;
    } catch {
      wait = Math.min(2 * wait, LAST_WAIT_MS);
    }
    underWay = false;
    later();
  }

  const leave = () => {
    // The ids stay the same, so what was under way and is sent again counts once.
    while (waiting.length && navigator.sendBeacon(target, new Blob([body(waiting.slice(0, MOST))], { type: "application/json" })))
      waiting = waiting.slice(MOST);
  };

  /** Queue an event; false where the visitor has not agreed or the server has not answered for long. */
  function send(event) {
    if (!mayCollect()) return false;
    const numbered = {
      occurred_at: new Date().toISOString(), ...event, event_id: `${stream}-${number}`, sequence: number++,
    };
    if (waiting.length >= KEPT) return false;
    waiting.push(numbered);
    if (waiting.length >= MOST) flush(); else later();
    return true;
  }

  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  document.addEventListener("assent:change", () => { if (!mayCollect()) waiting = []; });
  window.assentEvents = { send, flush };
})();
