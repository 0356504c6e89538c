// Copy an identifier on click. The identifier can be selected by hand without this script.
"use strict";

async function copyIdentifier(event) {
  const button = event.currentTarget;
  const label = button.querySelector("[data-copy-label]");
  const before = label.textContent;
  await navigator.clipboard.writeText(button.dataset.copy);
  label.textContent = button.dataset.copied;
  setTimeout(() => { label.textContent = before; }, 2000);
}

// The clipboard exists only in secure contexts; elsewhere the buttons stay hidden.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", copyIdentifier);
    button.hidden = false;
  }
}
