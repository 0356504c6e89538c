/* Assent: a consent banner and a consent API for one site. Nothing else is needed on the page; docs/banner.md explains it.

   <script src="https://privacy.example/assent.js" data-site="shop" defer></script>

   A yes counts only while the server has confirmed it in this page view. A no counts at once, is kept by the browser and
   is delivered until the server has it. Whatever fails, the answer is no. */
(() => {
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
     known: [purposes ever chosen], seen: whether the signal was confirmed}. */

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
    const { id = "", no, queue, known, seen = false } = found || {};
    return { id, no: no || {}, queue: queue || [], known: known || [], seen };
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

  async function call(path, body, key) {
    const answer = await fetch(address + path, {
      method: body ? "POST" : "GET",
      mode: "cors",
      credentials: "omit",
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
    for (const { purpose, choice } of entry.body.choices) {
      const now = confirmed[purpose] || {};
      // A refusal made elsewhere since this yes was clicked has another key, and stays.
      if (choice === "give" && now.state === "given" && state.no[purpose] === entry.saw[purpose]) delete state.no[purpose];
      // A yes that waits behind this answer was clicked after it, by somebody who saw it.
      for (const later of state.queue) {
        for (const next of later.body.choices) {
          if (next.choice === "give" && next.purpose === purpose) next.supersedes = now.record;
        }
      }
    }
    keep(state);
  }

  /* Choosing. `wanted` maps purposes to true or false; `shown` is the refusals the visitor had before their eyes. */

  async function choose(wanted, { conflict = false, shown = kept().no, asked = false, explicit = [] } = {}) {
    const all = Object.keys(wanted);
    const no = all.filter((slug) => !wanted[slug]);
    const yes = all.filter((slug) => wanted[slug]);
    const state = kept();
    if (place) state.id = state.id || random();
    state.known = [...new Set([...state.known, ...all])];
    if (no.length) {
      const key = random();
      for (const slug of no) state.no[slug] = key;
      const waiting = state.queue.filter((entry) => !entry.yes && !parked.has(entry.key));
      const fresh = no.filter((slug) => !waiting.some(({ body }) => body.choices.some((c) => c.purpose === slug)));
      for (const entry of state.queue) {
        if (entry.yes) entry.body.choices = entry.body.choices.filter(({ purpose }) => !no.includes(purpose));
      }
      state.queue = state.queue.filter((entry) => entry.body.choices.length);
      // Without storage nobody can have agreed, and the number would never be seen again.
      if (place && fresh.length) state.queue.push(save(key, state, fresh.map((purpose) => ({ purpose, choice: "refuse" })), asked));
    }
    const stale = yes.some((slug) => state.no[slug] !== shown[slug]);
    if (yes.length && place && !stale) {
      const choices = yes.map((purpose) => ({
        purpose,
        choice: "give",
        supersedes: confirmed[purpose] ? confirmed[purpose].record : null,
        told_of_conflict: conflict,
        explicit: explicit.includes(purpose),
      }));
      state.queue.push({ ...save(random(), state, choices, asked), yes: true });
    }
    keep(state);
    tell();
    delivered = place ? delivered : "no_storage";
    if (place) {
      delivered = "saved";
      await deliver();
      if (kept().queue.length && delivered === "saved") await deliver();
    }
    if (stale) await reread();
    tell();
    return stale ? "elsewhere" : yes.length ? delivered : "saved";
  }

  function save(key, state, choices, asked) {
    const notices = Object.fromEntries((layout ? layout.purposes : []).map(({ slug, notice }) => [slug, notice]));
    const body = {
      browser: state.id,
      gpc: scriptSeesGpc(),
      choices: choices.map((choice) => {
        const notice = notices[choice.purpose];
        return notice ? { ...choice, notice_version: notice.version } : choice;
      }),
      locale: layout ? layout.locale : "en",
      layout_sha256: asked && layout ? layout.layout_sha256 : "",
      interface: asked && layout ? layout.interface : "assent.js-api",
    };
    return { key, at: Date.now(), saw: { ...state.no }, body };
  }

  const each = (names, value) => Object.fromEntries((
    names ? [].concat(names) : [...new Set([...slugs(), ...kept().known])]).map((slug) => [slug, value]));

  /* The banner. A constructed sheet: no inline style, so it works under the strictest policy. What a program on the
     visitor's side must find (text and buttons) are plain children of the host; the sheet of the shadow tree dresses them,
     and since all of it is important, no sheet of the page can hide one button or make it smaller than the other. */

  const STYLE = `
    :host, ::slotted(*) {
      all: initial; box-sizing: border-box; direction: ltr; unicode-bidi: isolate;
      --ground: #fff; --soft: #e9eef9; --ink: #1d2330; --muted: #565d6b; --line: #dddfdc; --edge: #7b8290; --accent: #2f4a8f;
      --on: #fff; color-scheme: light dark;
    }
    @media (prefers-color-scheme: dark) {
      :host, ::slotted(*) { --ground: #1b1f27; --soft: #232d47; --ink: #e8eaee; --muted: #a9b0bd; --line: #3a4150; --edge: #808999;
        --accent: #a8bdf5; --on: #131a2e; }
    }
    * { box-sizing: border-box; margin: 0; }
    :host { display: block; position: fixed; z-index: 2147483647; background: var(--ground); color: var(--ink);
      border: 1px solid var(--line); box-shadow: 0 8px 32px rgb(0 0 0 / 18%);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
    :host(.panel) { inset: auto 16px 16px; border-radius: 12px; max-width: 640px; max-height: calc(100vh - 32px); overflow: auto;
      margin-inline: auto; padding: 24px; }
    :focus-visible, ::slotted(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
    ::slotted(*) { display: block; color: inherit; font: inherit; }
    ::slotted(h2) { font-size: 20px; line-height: 1.3; font-weight: 700; }
    ::slotted(p) { margin-top: 8px; }
    ::slotted(.status) { display: flex; gap: 8px; padding: 12px; margin-top: 12px; border-radius: 8px; background: var(--soft);
      font-weight: 500; }
    ::slotted(.status)::before { content: "✓"; color: var(--accent); font-weight: 700; }
    ::slotted(.names) { font-weight: 500; }
    ::slotted(.note)::before { content: "i"; font-style: italic; }
    ::slotted(.note:empty) { display: none; }
    .row { display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px; margin-top: 20px; }
    .row.two { grid-template-columns: repeat(2, 1fr); }
    @media (max-width: 519px) { :host(.panel) { inset: auto 8px 8px; padding: 16px; } .row, .row.two { grid-template-columns: 1fr;
      gap: 8px; margin-top: 16px; } }
    ::slotted(button) { min-height: 44px; padding: 8px 12px; border: 1px solid var(--edge); border-radius: 8px;
      background: var(--ground); color: var(--ink); font-weight: 500; text-align: center; cursor: pointer; }
    ::slotted(button:hover) { background: var(--soft); border-color: var(--ink); }
    ::slotted(button[disabled]) { color: var(--muted); cursor: progress; }
    ul { margin-top: 16px; padding: 0; list-style: none; border-top: 1px solid var(--line); }
    li { padding: 12px 0; border-bottom: 1px solid var(--line); }
    label { display: flex; gap: 16px; align-items: center; justify-content: space-between; min-height: 44px; cursor: pointer; }
    b, em { display: block; font-weight: 600; }
    em { font-size: 14px; font-style: normal; }
    small, summary { color: var(--muted); font-size: 14px; }
    summary { width: fit-content; min-height: 32px; padding-block: 4px; color: var(--accent); cursor: pointer; }
    details p { color: var(--ink); font-size: 14px; }
    input { appearance: none; position: relative; flex: none; width: 48px; height: 28px; margin: 0; border: 2px solid var(--edge);
      border-radius: 14px; background: var(--ground); cursor: pointer; }
    input::after { content: ""; position: absolute; top: 4px; left: 4px; width: 16px; height: 16px; border-radius: 50%; background: var(--edge); }
    input:checked { background: var(--accent); border-color: var(--accent); }
    input:checked::after { left: 24px; background: var(--on); }
    @media (forced-colors: active) { input:checked { background: Highlight; forced-color-adjust: none; } }
    :host(.corner) { inset: auto auto 16px 16px; display: flex; max-width: calc(100vw - 32px); border-radius: 22px; overflow: hidden;
      box-shadow: 0 2px 8px rgb(0 0 0 / 14%); font-size: 14px; }
    :host(.corner.rtl) { inset: auto 16px 16px auto; }
    ::slotted(.quiet) { border: 0; border-radius: 22px; padding-inline: 16px; outline-offset: -3px; }
    ::slotted(.quiet + .quiet) { color: var(--accent); }
    :host(:empty) { display: none; }
    @media print { :host { display: none; } }`;

  let host = null;
  let root = null;
  let opener = null;
  let seenNo = {};
  let shownView = "";
  const switchesOf = () => [...root.querySelectorAll("input")];

  function element(name, properties, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key in made && !key.startsWith("aria")) made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  const button = (text, action) => element("button", { type: "button", textContent: text, onclick: action });

  let where = "last";
  function draw(kind, properties, children, frame) {
    if (!host) {
      host = document.createElement("assent-banner");
      root = host.attachShadow({ mode: "open" });
      try {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE.replace(/;/g, "!important;"));
        root.adoptedStyleSheets = [sheet];
      } catch { /* an old browser shows it plain */ }
      // A script of the page may replace the body, and put back a lifeless copy from its cache.
      new MutationObserver(() => {
        if (!host.isConnected || document.getElementsByTagName("assent-banner").length > 1) setTimeout(put);
      }).observe(document, { childList: true, subtree: true });
      host.addEventListener("keydown", (event) => { if (event.key === "Escape") close(true); });
    }
    for (const { name } of [...host.attributes]) host.removeAttribute(name);
    for (const [name, value] of Object.entries(properties)) host.setAttribute(name, value);
    host.className = getComputedStyle(document.documentElement).direction === "rtl" ? `${kind} rtl` : kind;
    root.replaceChildren(...frame);
    host.replaceChildren(...children);
    // First on the page while it asks, so that the keyboard meets it first; last when it only waits.
    where = kind === "panel" ? "first" : "last";
    put();
  }

  function put() {
    const { body } = document;
    if (!body) return;
    for (const copy of document.querySelectorAll("assent-banner")) if (copy !== host) copy.remove();
    if (where === "first" ? body.firstChild !== host : !host.isConnected || body.lastElementChild !== host) {
      body[where === "first" ? "prepend" : "append"](host);
    }
  }

  const isOpen = () => Boolean(host && host.classList.contains("panel"));

  function drawButton() {
    if (!layout || isOpen() || tag.dataset.button === "off") return;
    const { texts } = layout;
    const now = state();
    const parts = [button(gpc() && !now.given.length ? `✓ ${texts.gpc}` : texts.reopen, () => ask())];
    if (now.given.length) parts.push(button(texts.withdraw_all, () => {
      choose(each(null, false), { asked: true });
      host.querySelector("button").focus();
    }));
    for (const part of parts) part.className = "quiet";
    if (host && host.isConnected && host.textContent === parts.map((part) => part.textContent).join("")) return;
    draw("corner", { role: "region", "aria-label": texts.reopen, lang: layout.locale }, parts, [element("slot")]);
  }

  function close(giveBack) {
    if (!isOpen()) return;
    const { seen, ...rest } = kept();
    if (gpc() && place && !seen) keep({ ...rest, seen: true });
    host.className = "";
    host.replaceChildren();
    root.replaceChildren();
    drawButton();
    const back = opener && opener.isConnected ? opener : host.querySelector("button");
    if (giveBack && back) back.focus();
    opener = null;
  }

  function show(view, message, focus) {
    const { texts } = layout;
    const now = state();
    const signalled = now.gpc;
    seenNo = kept().no;
    shownView = view;
    const answer = async (wanted) => {
      // The signal came after this was drawn: a yes needs the notice of the conflict first.
      if (Object.values(wanted).includes(true) && gpc() && !signalled) return show("choose", "", true);
      const conflict = gpc() && view === "choose";
      if (!Object.values(wanted).includes(true)) { // a no waits for nothing
        choose(wanted, { asked: true });
        return close(true);
      }
      for (const control of [...host.querySelectorAll("button"), ...switchesOf()]) control.disabled = true;
      note.textContent = texts.saving;
      const explicit = view === "choose" ? sensitive().filter((slug) => wanted[slug]) : [];
      const result = await choose(wanted, { conflict, shown: seenNo, asked: true, explicit });
      if (result === "saved") return close(true);
      return show("choose", texts[result], true);
    };
    const switches = layout.purposes.map(({ slug, name, benefit, notice, explicit }) => {
      const input = element("input", { type: "checkbox", role: "switch", name: slug, checked: now.given.includes(slug) });
      const text = notice ? [element("details", {}, element("summary", { textContent: texts.read }),
        element("p", { textContent: notice.text, lang: notice.locale, dir: "auto" }))] : [];
      return element("li", {}, element("label", {}, element("span", {}, element("b", { textContent: name }),
        element("small", { textContent: benefit }), ...(explicit ? [element("em", { textContent: texts.explicit })] : [])), input), ...text);
    });
    const actions = {
      refuse_all: () => answer(each(null, false)),
      accept_all: () => answer(each(slugs().filter((slug) => !sensitive().includes(slug)), true)),
      choose: () => show("choose", "", true),
      save: () => answer(Object.fromEntries(switchesOf().map((input) => [input.name, input.checked]))),
      keep_off: () => close(true),
    };
    const names = view === "signal" ? ["keep_off", "choose"] : layout.buttons.map((name) => (
      view === "choose" && name === "choose" ? "save" : name));
    const note = element("p", { className: message ? "status note" : "note", role: "status", textContent: message || "" });
    const text = [
      element("h2", { id: "assent-title", textContent: view === "signal" ? layout.name : texts.title }),
      ...(gpc() ? [element("p", { className: "status", textContent: texts.gpc })] : []),
      element("p", { textContent: !gpc() ? texts.intro : view === "choose" ? texts.gpc_conflict : texts.gpc_detail }),
      note,
      ...(view === "choose" ? []
        : [element("p", { className: "names", textContent: layout.purposes.map(({ name }) => name).join(" · ") })]),
    ];
    for (const part of text) part.slot = "text";
    const row = element("div", { className: names.length === 2 ? "row two" : "row" }, element("slot"));
    // Leaving without a choice is no choice: everything stays as it is, and the next page asks again.
    draw("panel", { role: "dialog", "aria-labelledby": "assent-title", tabindex: "-1", lang: layout.locale },
      [...text, ...names.map((name) => button(texts[name], actions[name]))],
      [element("slot", { name: "text" }), ...(view === "choose" ? [element("ul", {}, ...switches)] : []), row]);
    if (focus) host.focus({ preventScroll: true });
  }

  function mustAsk() {
    if (!place || !layout || !layout.asks_first || !reachable) return false;
    const { no } = kept();
    const asked = slugs().filter((slug) => !sensitive().includes(slug));
    return (asked.length ? asked : slugs()).some((slug) => !no[slug] && ["never_asked", "expired", "renewal_required"].includes(
      confirmed[slug] ? confirmed[slug].state : "never_asked"));
  }

  function ask() {
    if (!layout) return false;
    opener = document.activeElement;
    if (host && opener === host) opener = null;
    show("choose", place ? "" : layout.texts.no_storage, true);
    return true;
  }

  /* Another window chose, or the page came back from the browser's memory. */

  async function changedElsewhere() {
    tell();
    if (kept().queue.length) return;
    await reread();
    if (isOpen() && !mustAsk() && !root.querySelector("ul")) close(false);
    tell();
  }

  async function start() {
    const [found] = await Promise.all([
      call(`?locale=${encodeURIComponent(locale)}`).catch(() => ({ document: null })),
      reread(),
      document.readyState === "loading" && new Promise((done) => document.addEventListener("DOMContentLoaded", done)),
    ]);
    layout = found.document && Array.isArray(found.document.purposes) ? found.document : null;
    if (layout && !kept().id) reachable = true;
    ready = true;
    tell();
    if (mustAsk() && !gpc()) show("ask", "", document.activeElement === document.body);
    else if (gpc() && layout && place && !kept().seen) show("signal", "", document.activeElement === document.body);
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
})();
