// Tell the administration the browser's time zone, unless the officer chose one in a log. It works without: in UTC.
"use strict";

{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").some((pair) => pair.startsWith("assent_zone="))) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `assent_zone=${zone}; path=/admin/; max-age=31536000; samesite=lax${secure}`;
  }
}
