// What every page has: buttons that copy a text, and what is said to people who hear a page.
"use strict";

function say(text) {
  document.getElementById("said").textContent = text;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea"); // where a page may not use the clipboard
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const copied = await copyText(button.dataset.copy);
  button.focus();
  const label = button.firstChild;
  const before = button.dataset.label ?? label.textContent;
  button.dataset.label = before;
  label.textContent = copied ? "Copied" : "Not copied";
  say(copied ? "Copied." : "Not copied: select the text and copy it.");
  setTimeout(() => { label.textContent = before; }, 2000);
});
