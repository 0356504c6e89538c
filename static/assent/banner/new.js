/* What came after the visitor agreed: it is off, whatever the old yes said, and is asked about by itself. A kind of data,
   a recipient and a way of contact can be answered alone; an action or a higher level only with the whole purpose. */

const isWhole = (part) => ["action", "level"].includes(part.split("=")[0]);

function newOf({ slug, parts }) {
  const { no, left, queue } = kept();
  if (stateOf(slug, no) !== "given") return [];
  const { newest_version: version } = confirmed[slug];
  // What was answered and is not delivered yet is not asked about again.
  const beyond = confirmed[slug].beyond.filter((part) => !queue.some(({ body }) => body.choices.some((choice) => (
    choice.purpose === slug && choice.part === part))));
  const found = beyond.filter((part) => !isWhole(part)).map((key) => ({ key, text: parts[key] }));
  if (beyond.some(isWhole) && left[slug] !== version) found.push({ key: "", text: beyond.map((part) => parts[part]).join(", ") });
  return found;
}

const hasNew = () => Boolean(place && layout && reachable && !gpc() && layout.purposes.some((purpose) => (
  !purpose.explicit && newOf(purpose).length)));

/* `on` says of a part whether its switch is on, or undefined to leave it open. A yes to the whole is a yes to the version
   that is shown. */
async function chooseNew(on, conflict) {
  const before = kept();
  const choices = [];
  for (const purpose of layout.purposes) {
    const { slug, explicit } = purpose;
    for (const { key } of newOf(purpose)) {
      const yes = on(slug, key, explicit);
      if (yes === undefined) continue;
      if (!key && !yes) before.left[slug] = confirmed[slug].newest_version;
      else {
        choices.push({
          purpose: slug,
          choice: yes ? "give" : "refuse",
          ...(key ? { part: key } : { supersedes: confirmed[slug].record }),
          told_of_conflict: conflict,
          explicit: yes && explicit,
        });
      }
    }
  }
  const yes = choices.some(({ choice }) => choice === "give");
  if (choices.length) before.queue.push({ ...save(random(), before, choices, "new"), yes });
  keep(before);
  delivered = "saved";
  await deliver();
  tell();
  return delivered;
}

async function readLayout(cache) {
  const { document } = await call(`?locale=${encodeURIComponent(locale)}`, null, "", cache).catch(() => ({}));
  if (document && Array.isArray(document.purposes)) layout = document;
}

/* The page may be open, or its layout kept by the browser, since before a notice was published. */
async function refresh() {
  if (layout && layout.purposes.some(({ slug, notice }) => (
    notice && confirmed[slug] && confirmed[slug].newest_version > notice.version))) await readLayout("reload");
}
