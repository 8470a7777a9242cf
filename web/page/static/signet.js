// Two conveniences; every page works without them.

// Copies the text that a button names, and says so for a while.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.textContent;
  let timer;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: now press Ctrl+C or ⌘C";
    }
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = label; }, 4000);
  });
}

// Sends the form that carries an answer to an app.
document.querySelector("form[data-auto-submit]")?.submit();
