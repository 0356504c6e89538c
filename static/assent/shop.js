// The demonstration's shop: shows what the visitor allows, and does with it only what was allowed.
"use strict";

const found = (id) => document.getElementById(id);
// The page brings the words in its language.
const listed = (id) => Object.fromEntries([...found(id).content.querySelectorAll("data")].map((word) => [word.value, word]));
const WORDS = listed("words");
const NAMES = listed("names");
const say = (name, values = {}) => WORDS[name].textContent.replace(/{(\w+)}/g, (whole, value) => values[value] ?? whole);
const looked = new Map(); // interest -> how often; only in this page's memory, and only while it is allowed

function showState(state) {
  const given = state.given.length;
  found("summary").textContent = state.gpc && !given
    ? say("signal")
    : given ? say("some", { given, all: Object.keys(state.purposes).length }) : say("nothing");
  if (!state.reachable) found("summary").textContent = say("unreachable");
  found("purposes").replaceChildren(...Object.entries(state.purposes).map(([slug, value]) => {
    const item = document.createElement("li");
    const mark = document.createElement("span");
    mark.className = `state state-${value}`;
    mark.textContent = `${value === "given" ? "✓" : "–"} ${say(value in WORDS ? value : "again")}`;
    const name = document.createElement("span");
    name.textContent = NAMES[slug]?.textContent ?? slug;
    name.lang = NAMES[slug]?.lang || document.documentElement.lang;
    item.append(name, mark);
    return item;
  }));
  if (!mayRecommend()) {
    looked.clear();
    found("remark").textContent = "";
  }
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
    found("remark").textContent = say("looked", { title });
  } else {
    found("remark").textContent = say("not_noted", { title });
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
