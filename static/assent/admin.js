// What the administration's pages do with scripts. They work without: in UTC, and with "Look again" for progress.
"use strict";

// Tell the server the browser's time zone, unless the officer chose one in a log.

{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").some((pair) => pair.startsWith("assent_zone="))) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `assent_zone=${zone}; path=/admin/; max-age=31536000; samesite=lax${secure}`;
  }
}

// Keep what is still being worked out up to date, and nothing else of the page: a reason may be half typed.
{
  const PAUSE_MS = 2000;
  const unfinished = () => [...document.querySelectorAll("section[aria-labelledby]:has(progress.sim-progress)")];

  const look = async () => {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const ids = unfinished().map((section) => section.getAttribute("aria-labelledby"));
    for (const id of [...ids, "effect"]) {
      const now = page.querySelector(`section[aria-labelledby="${id}"]`);
      const before = document.querySelector(`section[aria-labelledby="${id}"]`);
      if (now && before) before.replaceWith(now);
      else if (before) before.remove();
    }
    if (unfinished().length) setTimeout(look, PAUSE_MS);
  };
  // The script stands in the head, before the page's body.
  document.addEventListener("DOMContentLoaded", () => {
    if (unfinished().length) setTimeout(look, PAUSE_MS);
  });
}

// Go to the first field that was refused. "autofocus" does it without scripts; with them the theme hides the page first.
document.addEventListener("alpine:initialized", () => {
  requestAnimationFrame(() => document.querySelector("#content [aria-invalid=true]")?.focus());
});

// Say at once that a file is too large, before it is sent; without scripts the answer says it.
document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("input[type=file][data-at-most]")) return;
  const tooLarge = [...target.files].some((file) => file.size > Number(target.dataset.atMost));
  target.setCustomValidity(tooLarge ? target.dataset.tooLarge : "");
  target.reportValidity();
});

// The theme's pictures are letters of a font, whose names would be read aloud as words. Its own scroll bars call each
// scrolling part "scrollable content": the menu and the filters scroll by the browser's own.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.setAttribute("aria-hidden", "true"));
  document
    .querySelectorAll(":is(#nav-sidebar, #changelist-filter) [data-simplebar]")
    .forEach((part) => part.removeAttribute("data-simplebar"));
});
