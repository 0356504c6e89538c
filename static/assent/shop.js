// The demonstration's shop: shows what the visitor allows, and does with it only what was allowed.
"use strict";

const WORDS = { given: "Allowed", refused: "Not allowed", withdrawn: "Not allowed", never_asked: "Not asked yet" };
const NAMES = {
  personalization: "A shop that knows you a little", recommendations: "Recommendations", newsletter: "Newsletter",
};
const found = (id) => document.getElementById(id);
const looked = new Map(); // interest -> how often; only in this page's memory, and only while it is allowed

function showState(state) {
  const given = state.given.length;
  found("summary").textContent = state.gpc && !given
    ? "Nothing: your browser’s opt-out request was honoured."
    : given ? `${given} of ${Object.keys(state.purposes).length} uses, because you allowed it.` : "Nothing. You see what everybody sees.";
  if (!state.reachable) found("summary").textContent = "Nothing: the consent server does not answer, and that counts as no.";
  found("purposes").replaceChildren(...Object.entries(state.purposes).map(([slug, value]) => {
    const item = document.createElement("li");
    const mark = document.createElement("span");
    mark.className = `state state-${value}`;
    mark.textContent = `${value === "given" ? "✓" : "–"} ${WORDS[value] || "Asked again"}`;
    item.append(NAMES[slug] || slug, mark);
    return item;
  }));
  if (!mayRecommend()) looked.clear();
  showChosen();
}

const mayRecommend = () => window.assent.state().given.includes("recommendations");

function showChosen() {
  const interests = [...looked.keys()].sort((one, other) => looked.get(other) - looked.get(one));
  const items = [...found("more").content.children];
  const chosen = interests.flatMap((interest) => items.filter((item) => item.dataset.interest === interest)).slice(0, 4);
  found("chosen").hidden = chosen.length === 0;
  found("chosen-list").replaceChildren(...chosen.map((item) => item.cloneNode(true)));
}

function look(product) {
  const title = product.querySelector("h3").textContent;
  if (mayRecommend()) {
    looked.set(product.dataset.interest, (looked.get(product.dataset.interest) || 0) + 1);
    showChosen();
    found("remark").textContent = `You looked at “${title}”: see “Chosen for you” above.`;
  } else {
    found("remark").textContent = `You looked at “${title}”. Nobody noted it: recommendations are not allowed.`;
  }
}

if (window.assent) {
  window.assent.on(showState);
  found("choices").hidden = false;
  found("choices").addEventListener("click", () => window.assent.ask());
  for (const product of document.querySelectorAll("main .product")) {
    const button = product.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => look(product));
  }
}
