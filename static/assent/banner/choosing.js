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
    const fresh = no.filter((slug) => !waiting.some(({ body }) => body.choices.some((c) => c.purpose === slug && !c.part)));
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
    interface: asked && layout ? layout.interface + (asked === "new" ? "-new" : "") : "assent.js-api",
  };
  return { key, at: Date.now(), saw: { ...state.no }, body };
}

const each = (names, value) => Object.fromEntries((
  names ? [].concat(names) : [...new Set([...slugs(), ...kept().known])]).map((slug) => [slug, value]));
