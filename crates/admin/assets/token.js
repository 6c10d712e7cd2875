// Asks for the token, and says why one was refused.

import { keep } from "./api.js";
import { byId, say, show } from "./dom.js";

const WHY = {
  first: "This host is seen and steered by whoever has its token.",
  restarted: "The host was started again, and its tokens are new.",
  refused: "This host is seen and steered by whoever has its token.",
};

let given = false;

/** The host took the token. */
export function accepted() {
  given = false;
  if (byId("token").open) byId("token").close();
}

/** Resolves when somebody gave a token, which is not tried yet. */
export function askForToken(reason) {
  const dialog = byId("token");
  const [form, field, refused] = [dialog.querySelector("form"), byId("token-value"), byId("token-refused")];
  // It was given just now; one that was kept is refused without a word about it.
  const wrong = given && reason !== "restarted";
  say(byId("token-why"), WHY[reason]);
  say(refused, "This token was refused. Tokens are new at each start of the host: look at the file again.");
  show(refused, wrong);
  field.setAttribute("aria-invalid", String(wrong));
  if (wrong) field.setAttribute("aria-describedby", "token-refused");
  dialog.oncancel = (event) => event.preventDefault();
  if (!dialog.open) dialog.showModal();
  dialog.removeAttribute("aria-busy");
  field.select();
  field.focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      const value = field.value.trim();
      // A header can hold nothing else.
      if (!/^[\x21-\x7e]+$/.test(value)) return show(refused, true);
      given = true;
      keep(value);
      field.value = "";
      form.onsubmit = (late) => late.preventDefault();
      dialog.setAttribute("aria-busy", "true");
      resolve();
    };
  });
}
