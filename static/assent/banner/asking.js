function show(view, message, focus) {
  const { texts } = layout;
  const now = state();
  const signalled = now.gpc;
  const isList = view === "choose" || view === "new";
  seenNo = kept().no;
  shownView = view;
  const wait = () => {
    for (const control of [...host.querySelectorAll("button"), ...switchesOf()]) control.disabled = true;
    note.textContent = texts.saving;
  };
  const settled = async (result) => {
    if (result !== "saved") return show("choose", texts[result], true);
    await refresh();
    if (!mustAsk() && !hasNew()) return close(true);
    return show(mustAsk() ? "choose" : "new", layout.texts.moved, true);
  };
  // The signal came after this was drawn: a yes needs the notice of the conflict first.
  const isLate = () => gpc() && !signalled;
  const answer = async (wanted, on) => {
    const yes = Object.values(wanted).includes(true);
    if ((yes || on) && isLate()) return show("choose", "", true);
    const conflict = gpc() && isList;
    if (!yes && !on) { // a no waits for nothing
      choose(wanted, { asked: true });
      return close(true);
    }
    wait();
    const explicit = isList ? sensitive().filter((slug) => wanted[slug]) : [];
    const result = await choose(wanted, { conflict, shown: seenNo, asked: true, explicit });
    return settled(on && result === "saved" ? await chooseNew(on, conflict) : result);
  };
  const switchOf = (label, name, checked) => element("label", {}, label,
    element("input", { type: "checkbox", role: "switch", name, checked }));
  const switches = layout.purposes.map((purpose) => {
    const { slug, name, benefit, notice, explicit } = purpose;
    const news = newOf(purpose);
    if (view === "new" && !news.length) return "";
    const about = element("span", {}, element("b", { textContent: name }), element("small", { textContent: benefit }),
      ...(explicit ? [element("em", { textContent: texts.explicit })] : []));
    const text = notice ? [element("details", {}, element("summary", { textContent: texts.read }),
      element("p", { textContent: notice.text, lang: notice.locale, dir: "auto" }))] : [];
    return element("li", {}, view === "new" ? about : switchOf(about, slug, now.given.includes(slug)),
      element("div", { role: "group", "aria-label": name }, ...news.map(({ key, text: part }) => (
        switchOf(`${key || !news[1] ? texts.new : texts.new_all} ${part}`, `${slug}?${key}`, false)))), ...text);
  });
  const actions = {
    refuse_all: () => answer(each(null, false)),
    accept_all: () => answer(each(slugs().filter((slug) => !sensitive().includes(slug)), true)),
    choose: () => show("choose", "", true),
    save: () => {
      const inputs = switchesOf();
      const isNew = ({ name }) => name.includes("?");
      // What was allowed and stays on is left as it is: a switch that was on agrees to nothing new.
      const wanted = inputs.filter((input) => !isNew(input) && !(input.checked && now.given.includes(input.name)));
      return answer(Object.fromEntries(wanted.map(({ name, checked }) => [name, checked])),
        inputs.some(isNew) && ((slug, key) => inputs.some(({ name, checked }) => checked && name === `${slug}?${key}`)));
    },
    refuse_new: () => { chooseNew(() => false); close(true); },
    accept_new: () => answer({}, (_slug, _key, explicit) => !explicit || undefined),
    keep_off: () => close(true),
  };
  const names = view === "signal" ? ["keep_off", "choose"] : view === "new" ? layout.new_buttons : layout.buttons.map((name) => (
    view === "choose" && name === "choose" ? "save" : name));
  const note = element("p", { className: message ? "status note" : "note", role: "status", textContent: message || "" });
  const text = [
    element("h2", { id: "assent-title", textContent: view === "signal" ? layout.name : view === "new" ? texts.new_title : texts.title }),
    ...(gpc() ? [element("p", { className: "status", textContent: texts.gpc })] : []),
    element("p", { textContent: view === "new" ? texts.new_intro
      : !gpc() ? texts.intro : view === "choose" ? texts.gpc_conflict : texts.gpc_detail }),
    note,
    ...(isList ? []
      : [element("p", { className: "names", textContent: layout.purposes.map(({ name }) => name).join(" · ") })]),
  ];
  for (const part of text) part.slot = "text";
  const row = element("div", { className: names.length === 2 ? "row two" : "row" }, element("slot"));
  // Leaving without a choice is no choice: everything stays as it is, and the next page asks again.
  draw("panel", { role: "dialog", "aria-labelledby": "assent-title", tabindex: "-1", lang: layout.locale },
    [...text, ...names.map((name) => button(texts[name], actions[name]))],
    [element("slot", { name: "text" }), ...(isList ? [element("ul", {}, ...switches)] : []), row]);
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
