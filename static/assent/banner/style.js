/* The banner. A constructed sheet: no inline style, so it works under the strictest policy. What a program on the
   visitor's side must find (text and buttons) are plain children of the host; the sheet of the shadow tree dresses them,
   and since all of it is important, no sheet of the page can hide one button or make it smaller than the other. */

const STYLE = `
  :host, ::slotted(*) {
    all: initial; box-sizing: border-box; direction: ltr; unicode-bidi: isolate;
    --ground: #fff; --soft: #e9eef9; --ink: #1d2330; --muted: #565d6b; --line: #dddfdc; --edge: #7b8290; --accent: #2f4a8f;
    --on: #fff; color-scheme: light dark;
  }
  @media (prefers-color-scheme: dark) {
    :host, ::slotted(*) { --ground: #1b1f27; --soft: #232d47; --ink: #e8eaee; --muted: #a9b0bd; --line: #3a4150; --edge: #808999;
      --accent: #a8bdf5; --on: #131a2e; }
  }
  * { box-sizing: border-box; margin: 0; }
  :host { display: block; position: fixed; z-index: 2147483647; background: var(--ground); color: var(--ink);
    border: 1px solid var(--line); box-shadow: 0 8px 32px rgb(0 0 0 / 18%);
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
  :host(.panel) { inset: auto 16px 16px; border-radius: 12px; max-width: 640px; max-height: calc(100vh - 32px); overflow: auto;
    margin-inline: auto; padding: 24px; }
  :focus-visible, ::slotted(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
  ::slotted(*) { display: block; color: inherit; font: inherit; }
  ::slotted(h2) { font-size: 20px; line-height: 1.3; font-weight: 700; }
  ::slotted(p) { margin-top: 8px; }
  ::slotted(.status) { display: flex; gap: 8px; padding: 12px; margin-top: 12px; border-radius: 8px; background: var(--soft);
    font-weight: 500; }
  ::slotted(.status)::before { content: "✓"; color: var(--accent); font-weight: 700; }
  ::slotted(.names) { font-weight: 500; }
  ::slotted(.note)::before { content: "i"; font-style: italic; }
  ::slotted(.note:empty) { display: none; }
  .row { display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px; margin-top: 20px; }
  .row.two { grid-template-columns: repeat(2, 1fr); }
  @media (max-width: 519px) { :host(.panel) { inset: auto 8px 8px; padding: 16px; } .row, .row.two { grid-template-columns: 1fr;
    gap: 8px; margin-top: 16px; } }
  ::slotted(button) { min-height: 44px; padding: 8px 12px; border: 1px solid var(--edge); border-radius: 8px;
    background: var(--ground); color: var(--ink); font-weight: 500; text-align: center; cursor: pointer; }
  ::slotted(button:hover) { background: var(--soft); border-color: var(--ink); }
  ::slotted(button[disabled]) { color: var(--muted); cursor: progress; }
  ul { margin-top: 16px; padding: 0; list-style: none; border-top: 1px solid var(--line); }
  li { padding: 12px 0; border-bottom: 1px solid var(--line); }
  label { display: flex; gap: 16px; align-items: center; justify-content: space-between; min-height: 44px; cursor: pointer; }
  b, em { display: block; font-weight: 600; }
  em { font-size: 14px; font-style: normal; }
  small, summary { color: var(--muted); font-size: 14px; }
  summary { width: fit-content; min-height: 32px; padding-block: 4px; color: var(--accent); cursor: pointer; }
  details p { color: var(--ink); font-size: 14px; }
  input { appearance: none; position: relative; flex: none; width: 48px; height: 28px; margin: 0; border: 2px solid var(--edge);
    border-radius: 14px; background: var(--ground); cursor: pointer; }
  input::after { content: ""; position: absolute; top: 4px; left: 4px; width: 16px; height: 16px; border-radius: 50%; background: var(--edge); }
  input:checked { background: var(--accent); border-color: var(--accent); }
  input:checked::after { left: 24px; background: var(--on); }
  @media (forced-colors: active) { input:checked { background: Highlight; forced-color-adjust: none; } }
  :host(.corner) { inset: auto auto 16px 16px; display: flex; max-width: calc(100vw - 32px); border-radius: 22px; overflow: hidden;
    box-shadow: 0 2px 8px rgb(0 0 0 / 14%); font-size: 14px; }
  :host(.corner.rtl) { inset: auto 16px 16px auto; }
  ::slotted(.quiet) { border: 0; border-radius: 22px; padding-inline: 16px; outline-offset: -3px; }
  ::slotted(.quiet + .quiet) { color: var(--accent); }
  :host(:empty) { display: none; }
  @media print { :host { display: none; } }`;
