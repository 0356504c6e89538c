// Swagger UI draws controls inside controls, fields without a name, headings that leave levels out, and text
// outside every landmark. What it drew is put right after each change; nothing is drawn here.
(function () {
  "use strict";

  // A link inside the button that opens an operation: the button is the one control of both.
  const NESTED = ".opblock-summary-control a[href], .opblock-tag a[href]";
  const LEVELS = [
    [".info .title", 1],
    [".opblock-tag, .models > h4, .models > h3", 2],
    [".opblock-section-header h4, .responses-inner > div > h4, .opblock-section .tab-item h4", 3],
    [".responses-inner h5, .opblock-body h5", 4],
  ];
  const NAMES = [
    ["textarea.body-param__text", "Body of the request"],
    [".parameters-col_description select, .body-param-content-type select", "Choice"],
    [".parameters-col_description input", "Value"],
  ];

  function mend() {
    for (const link of document.querySelectorAll(NESTED)) {
      link.removeAttribute("href");
    }
    // Swagger UI names the operations as the main part; what stands above them belongs to no part.
    document.querySelector(".information-container")?.setAttribute("role", "banner");
    for (const [selector, level] of LEVELS) {
      for (const heading of document.querySelectorAll(selector)) {
        heading.setAttribute("role", "heading");
        heading.setAttribute("aria-level", String(level));
      }
    }
    for (const [selector, name] of NAMES) {
      for (const field of document.querySelectorAll(selector)) {
        if (!field.labels?.length && !field.hasAttribute("aria-label")) {
          field.setAttribute("aria-label", field.placeholder || name);
        }
      }
    }
  }

  new MutationObserver(mend).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
})();
