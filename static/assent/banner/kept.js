/* Assent: a consent banner and a consent API for one site. Nothing else is needed on the page; docs/banner.md explains it.

   <script src="https://privacy.example/assent.js" data-site="shop" defer></script>

   A yes counts only while the server has confirmed it in this page view. A no counts at once, is kept by the browser and
   is delivered until the server has it. Whatever fails, the answer is no. */
"use strict";
if (window.assent && window.assent.state) return;

const tag = document.currentScript || document.querySelector("script[data-site]");
const site = tag.dataset.site || "";
const server = (tag.dataset.server || new URL(tag.src).origin).replace(/\/+$/, "");
const address = `${server}/api/v1/banner/${encodeURIComponent(site)}`;
const locale = tag.dataset.locale || document.documentElement.lang || navigator.language || "en";
// Extensions set true, 1 or "1", and some only after this script has run: it is read whenever it is needed.
const scriptSeesGpc = () => Boolean(navigator.globalPrivacyControl);
const KEY = `assent:${site}`;
const DAY = 864e5;
const SIGNALS = ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage",
  "personalization_storage", "security_storage"];

/* Google Consent Mode: everything denied before any tag can run. */

window.dataLayer = window.dataLayer || [];
const gtag = window.gtag || function () { window.dataLayer.push(arguments); };
const denied = () => Object.fromEntries(SIGNALS.map((signal) => [signal, "denied"]));
gtag("consent", "default", { ...denied(), wait_for_update: 500 });

/* What the browser keeps: {id, no: {purpose: key of the refusal}, queue: [undelivered saves],
   known: [purposes ever chosen], seen: whether the signal was confirmed,
   left: {purpose: version of the notice whose news were left off}}. */

const cookieName = encodeURIComponent(KEY);
const secure = location.protocol === "https:" ? "; Secure" : "";
const shared = tag.dataset.domain ? `; Domain=${tag.dataset.domain}` : "";
const local = {
  get: () => localStorage.getItem(KEY),
  set: (text) => (text === null ? localStorage.removeItem(KEY) : localStorage.setItem(KEY, text)),
};
const places = [
  local,
  {
    get: () => {
      const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${cookieName}=`));
      return found ? atob(found.slice(cookieName.length + 1)) : null;
    },
    set: (text) => {
      const age = text === null ? 0 : 34560000;
      document.cookie = `${cookieName}=${btoa(text || "")}; Max-Age=${age}; Path=/; SameSite=Lax${shared}${secure}`;
    },
  },
];
if (shared) places.reverse(); // one cookie for all hosts of the domain, before this host's own storage
// What a host kept for itself before the site shared a cookie stays in force: above all its refusals.
const carried = () => { try { return local.get(); } catch { return null; } };
let memory = null;
let place = places.find((candidate) => {
  try {
    const before = candidate.get() || (shared && carried());
    candidate.set(before || "{}");
    const works = candidate.get() === (before || "{}");
    if (!before) candidate.set(null); // nothing is left behind before a choice
    return works;
  } catch { return false; }
});

function kept() {
  let found = null;
  try { found = JSON.parse(place ? place.get() : memory); } catch { /* unreadable counts as empty */ }
  const { id = "", no, queue, known, seen = false, left } = found || {};
  return { id, no: no || {}, queue: queue || [], known: known || [], seen, left: left || {} };
}

function keep(state) {
  memory = JSON.stringify(state);
  try {
    if (place) place.set(memory);
    if (place && place.get() !== memory) place = null;
  } catch { place = null; }
}

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
