"""The page's style and behaviour: written here, so that the page needs nothing from elsewhere."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --back: #fff; --front: #1b1f24; --dim: #59636e; --line: #d1d9e0;
  --card: #f6f8fa; --red: #a40e26; --redback: #ffebe9; --green: #116329; --greenback: #dafbe1;
  --amber: #7d4e00; --amberback: #fff1c2; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --front: #e6edf3; --dim: #9198a1;
  --line: #3d444d; --card: #151b23; --red: #ff9492; --redback: #4b1113; --green: #7ee2a0;
  --greenback: #0f3b1e; --amber: #f2cc60; --amberback: #3d2e00; --link: #79c0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; background: var(--back);
  color: var(--front); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; padding: .75rem 1rem; border-radius: .4rem; margin: 0 0 1rem; }
h1.danger { background: var(--redback); color: var(--red); }
h1.caution { background: var(--amberback); color: var(--amber); }
h1.change, h1.none { background: var(--greenback); color: var(--green); }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; position: sticky;
  top: 0; background: var(--back); padding: .5rem 0; border-bottom: 1px solid var(--line); }
fieldset { border: 0; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: .25rem .75rem; }
legend { float: left; padding: 0; margin-right: .5rem; color: var(--dim); }
input[type=search], select, button { font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .3rem; padding: .2rem .5rem; }
input[type=search] { flex: 1 1 14rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0;
  background: var(--card); }
details.danger { border-left: .35rem solid var(--red); }
summary { padding: .5rem .75rem; cursor: pointer; }
.inside { padding: 0 .75rem .75rem; }
code, pre, td { font-family: ui-monospace, monospace; font-size: .85rem; }
pre { margin: 0; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; table-layout: fixed;
  background: var(--back); }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .3rem .5rem; vertical-align: top;
  text-align: left; font-weight: 400; }
thead th { font-weight: 600; }
thead th:first-child { width: 26%; }
td ul { margin: 0; padding-left: 1rem; }
tr.same { color: var(--dim); }
del { background: var(--redback); color: var(--red); text-decoration: none; }
ins { background: var(--greenback); color: var(--green); text-decoration: none; }
del::before { content: "- "; } ins::before { content: "+ "; }
pre del, pre ins { display: block; } pre del::before, pre ins::before { content: none; }
.mark { border-radius: .3rem; padding: 0 .35rem; font-size: .85rem; white-space: nowrap;
  background: var(--amberback); color: var(--amber); }
.mark.bad, .mark.removed { background: var(--redback); color: var(--red); }
.mark.good, .mark.added { background: var(--greenback); color: var(--green); }
.note { color: var(--dim); }
.reasons { margin: .25rem 0; padding-left: 1.25rem; }
[hidden] { display: none; }
@media (max-width: 40rem) { thead th:first-child { width: 34%; } body { padding: .5rem; }
  form { position: static; } }
@media print { form { display: none; } }
"""

SCRIPT: Final = """
"use strict";
const form = document.querySelector("form");
const search = form.elements.search, stack = form.elements.stack, count = form.elements.count;
const cards = [...document.querySelectorAll("details.change")];
const texts = new Map(cards.map(card => [card, card.textContent.toLowerCase()]));
const sections = [...document.querySelectorAll("section")];
const wanted = () => [...form.querySelectorAll("input[name=flag]:checked")].map(box => box.value);
function shows(card, words, flags) {
  const own = card.dataset.flags.split(" "), stacks = JSON.parse(card.dataset.stacks);
  return words.every(word => texts.get(card).includes(word))
    && (!flags.length || flags.some(flag => own.includes(flag)))
    && (!stack.value || stacks.includes(stack.value));
}
function filter() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean), flags = wanted();
  let shown = 0;
  for (const card of cards) { card.hidden = !shows(card, words, flags); shown += !card.hidden; }
  for (const each of sections) each.hidden = !each.querySelector("details.change:not([hidden])");
  if (words.length || stack.value) unfold(true);
  count.value = `${shown} of ${cards.length} shown`;
}
const folds = [...document.querySelectorAll("details.fold")];
function unfold(all) {
  for (const fold of folds) fold.open = all;
}
function open(all) {
  unfold(all); for (const card of cards) if (!card.hidden) card.open = all; }
function move(by) {
  const visible = cards.filter(card => card.checkVisibility())
    .map(card => card.querySelector("summary"));
  const next = visible[visible.indexOf(document.activeElement) + by];
  if (next) { next.focus(); next.scrollIntoView({ block: "center" }); }
}
form.hidden = false;
form.addEventListener("input", filter);
form.addEventListener("submit", event => event.preventDefault());
form.elements.open.addEventListener("click", () => open(true));
form.elements.close.addEventListener("click", () => open(false));
addEventListener("beforeprint", () => open(true));
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { form.reset(); filter(); unfold(false); search.blur(); return; }
  if (event.target.matches("input[type=search], select")) return;
  if (event.key === "/") { event.preventDefault(); search.focus(); }
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "e") open(true);
  else if (event.key === "c") open(false);
});
filter();
"""
