/** The style sheet of every page. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f3f4f6;
  --card: #ffffff;
  --text: #16181d;
  --soft: #565d6b;
  --line: #858c99;
  --rule: #e3e6eb;
  --accent: #1f5fd6;
  --on-accent: #ffffff;
  --bad: #b3201b;
  --bad-page: #fdecea;
  --shadow: 0 1px 2px rgb(16 24 40 / 0.06), 0 12px 32px rgb(16 24 40 / 0.1);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1115;
    --card: #1a1d23;
    --text: #eceef2;
    --soft: #a7aebb;
    --line: #767e8c;
    --rule: #2c313a;
    --accent: #8fb4ff;
    --on-accent: #0c1a36;
    --bad: #ffb4ab;
    --bad-page: #3b1917;
    --shadow: 0 12px 32px rgb(0 0 0 / 0.5);
  }
}
* {
  box-sizing: border-box;
}
body {
  margin: 0;
  min-height: 100vh;
  display: grid;
  place-items: center;
  padding: 1.5rem 1rem;
  background: var(--page);
  color: var(--text);
  font:
    1rem/1.5 system-ui,
    -apple-system,
    'Segoe UI',
    Roboto,
    'PingFang SC',
    'Microsoft YaHei',
    'Noto Sans SC',
    sans-serif;
}
main {
  width: 100%;
  max-width: 25rem;
  padding: 2.25rem 2rem;
  border: 1px solid var(--rule);
  border-radius: 1rem;
  background: var(--card);
  box-shadow: var(--shadow);
  overflow-wrap: anywhere;
}
.brand {
  margin: 0 0 1.25rem;
  color: var(--soft);
  font-size: 0.875rem;
}
h1 {
  margin: 0 0 0.25rem;
  font-size: 1.625rem;
  line-height: 1.25;
  font-weight: 650;
  letter-spacing: -0.01em;
}
.lead {
  margin: 0 0 1.25rem;
  color: var(--soft);
}
label {
  display: block;
  margin: 1rem 0 0.375rem;
  font-size: 0.9375rem;
  font-weight: 550;
}
input {
  width: 100%;
  min-height: 2.75rem;
  padding: 0.5rem 0.75rem;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
  background: var(--card);
  color: var(--text);
  font: inherit;
}
input[aria-invalid] {
  border-color: var(--bad);
}
input::placeholder {
  color: var(--soft);
}
.code {
  font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace;
  font-size: 1.375rem;
  letter-spacing: 0.12em;
  text-align: center;
  text-transform: uppercase;
}
p.code {
  margin: 1rem 0;
  padding: 0.75rem;
  border: 1px solid var(--rule);
  border-radius: 0.5rem;
  background: var(--page);
}
.actions {
  display: grid;
  gap: 0.75rem;
  margin-top: 1.5rem;
}
button {
  width: 100%;
  min-height: 2.75rem;
  padding: 0.5rem 1rem;
  border: 1px solid transparent;
  border-radius: 0.5rem;
  background: var(--accent);
  color: var(--on-accent);
  font: inherit;
  font-weight: 600;
  cursor: pointer;
}
button:hover {
  filter: brightness(1.08);
}
button.quiet {
  border-color: var(--line);
  background: transparent;
  color: var(--text);
}
/* The second half of a double click on the page before decides nothing, from the moment that this one is seen: where the
   answer travels long, the server could not tell (BrowserService.checkDecision). */
@keyframes first-moment {
  from,
  to {
    pointer-events: none;
  }
}
.decision button {
  animation: first-moment 700ms;
}
a {
  color: var(--accent);
}
.way {
  margin: 1.5rem 0 0;
}
.way a {
  display: block;
  padding: 0.5625rem 1rem;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
  color: var(--text);
  font-weight: 600;
  text-align: center;
  text-decoration: none;
}
.way a:hover {
  border-color: var(--text);
}
:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}
.problem {
  margin: 0 0 1rem;
  padding: 0.75rem 1rem;
  border-radius: 0.5rem;
  background: var(--bad-page);
  color: var(--bad);
}
.warning {
  margin: 1rem 0 0;
  padding-left: 0.75rem;
  border-left: 3px solid var(--line);
  color: var(--soft);
  font-size: 0.9375rem;
}
.scopes {
  margin: 0;
  padding: 0;
  list-style: none;
  border: 1px solid var(--rule);
  border-radius: 0.5rem;
}
.scopes li {
  padding: 0.625rem 0.875rem;
}
.scopes li + li {
  border-top: 1px solid var(--rule);
}
.foot {
  margin-top: 1.5rem;
  padding-top: 1rem;
  border-top: 1px solid var(--rule);
  color: var(--soft);
  font-size: 0.875rem;
}
.foot p {
  margin: 0 0 0.25rem;
}
@media (max-width: 26rem) {
  body {
    place-items: start stretch;
    padding: 0;
    background: var(--card);
  }
  main {
    max-width: none;
    border: 0;
    border-radius: 0;
    box-shadow: none;
    padding: 2rem 1.25rem;
  }
}
@media (forced-colors: active) {
  button {
    border-color: ButtonText;
  }
}
`;
