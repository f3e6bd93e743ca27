"use strict";
const main = document.querySelector("main");
const form = document.querySelector("form");
const button = form.querySelector("button");
const told = document.querySelector("[role=status]");
const tell = (text) => { told.textContent = text; };
const token = new URLSearchParams(location.hash.slice(1)).get("token");
// What opens the account stays in no history.
history.replaceState(null, "", location.pathname);
button.disabled = !token;
if (!token) tell(main.dataset.missing);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  const body = { token };
  for (const input of form.querySelectorAll("input")) body[input.name] = input.value;
  try {
    const answer = await fetch(form.dataset.post, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.hidden = true;
      tell(main.dataset.done);
      return;
    }
    const problem = await answer.json();
    if (["invalid_link", "invalid_reset"].includes(problem.code)) {
      tell(main.dataset.invalid);
      return;
    }
    tell((problem.errors || []).map((error) => error.detail).join(" ") || problem.detail);
  } catch {
    tell(main.dataset.failed);
  }
  button.disabled = false;
});
