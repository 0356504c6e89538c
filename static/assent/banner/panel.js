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
