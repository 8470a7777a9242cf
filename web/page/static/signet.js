// Two conveniences; every page works without them.

// Copies the text of the field that a button names, and says so.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl+C or ⌘C";
    }
  });
}

// Sends the form that carries an answer to an app.
document.querySelector("form[data-auto-submit]")?.submit();
