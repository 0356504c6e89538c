/* What the server says. `confirmed` is only ever filled by an answer to this page view. */

let layout = null;
let confirmed = {};
let subject = null;
let ready = false;
let reachable = false;
let remembered = false;
const gpc = () => scriptSeesGpc() || remembered || Boolean(layout && layout.gpc);
// Sensitive purposes want a yes of their own: they are never part of "all".
const sensitive = () => (layout ? layout.purposes.filter((purpose) => purpose.explicit).map(({ slug }) => slug) : []);
const slugs = () => (layout ? layout.purposes.map((purpose) => purpose.slug) : []);

function stateOf(slug, no) {
  if (!ready || !reachable || !layout || !place || no[slug]) return "refused";
  const state = confirmed[slug] ? confirmed[slug].state : "never_asked";
  return gpc() && state === "never_asked" ? "refused" : state;
}

function state() {
  const { no, queue } = kept();
  const known = new Set([...slugs(), ...Object.keys(no)]);
  const purposes = Object.fromEntries([...known].map((slug) => [slug, stateOf(slug, no)]));
  const given = Object.keys(purposes).filter((slug) => purposes[slug] === "given");
  return { ready, reachable, durable: Boolean(place), gpc: gpc(), pending: queue.length, subject, purposes, given };
}

let told = "";
let mode = JSON.stringify(denied());
function tell() {
  const now = state();
  const signals = denied();
  const map = (layout && layout.consent_mode) || {};
  for (const signal of SIGNALS) {
    const needed = Object.keys(map).filter((slug) => map[slug].includes(signal));
    if (needed.length && needed.every((slug) => now.given.includes(slug))) signals[signal] = "granted";
  }
  if (JSON.stringify(signals) !== mode) {
    mode = JSON.stringify(signals);
    gtag("consent", "update", signals);
  }
  if (JSON.stringify(now) !== told) {
    told = JSON.stringify(now);
    document.dispatchEvent(new CustomEvent("assent:change", { detail: now }));
  }
  if (ready) drawButton();
}

async function call(path, body, key, cache = "default") {
  const answer = await fetch(address + path, {
    method: body ? "POST" : "GET",
    mode: "cors",
    credentials: "omit",
    cache,
    keepalive: Boolean(body),
    headers: { ...(body && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout ? AbortSignal.timeout(8000) : undefined,
  });
  return { status: answer.status, document: answer.ok ? await answer.json() : null };
}

function accept(document) {
  confirmed = document.purposes || {};
  subject = document.subject;
  remembered = document.gpc === true;
  reachable = true;
}

async function reread() {
  const { id } = kept();
  if (!id) { confirmed = {}; subject = null; return; }
  try {
    const { document } = await call("/state", { browser: id, gpc: scriptSeesGpc() });
    if (document) return accept(document);
  } catch { /* below */ }
  confirmed = {};
  reachable = false;
}
