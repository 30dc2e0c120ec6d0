// Passkeys are the one thing on these pages that cannot be done without JavaScript: the
// browser hands them out to scripts only. Everything else is plain forms.
"use strict";

(() => {
  const supported = typeof PublicKeyCredential === "function" &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function" &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function";

  const paths = {
    signin: ["/signin/passkey/begin", "/signin/passkey/finish"],
    register: ["/account/passkeys/begin", "/account/passkeys/finish"],
  };

  class Refused extends Error {}

  async function post(path, body) {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
    });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    if (typeof answer.go === "string") location.assign(answer.go);
    throw new Refused(answer.problem || "That did not work. Try again.");
  }

  async function ceremony(kind, box) {
    const [begin, finish] = paths[kind];
    const name = box.querySelector("input")?.value ?? "";
    const begun = await post(begin, {});
    const credential = kind === "register"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(begun.publicKey) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(begun.publicKey) });
    const done = await post(finish, { credential: credential.toJSON(), name, continue: box.dataset.continue || "" });
    location.assign(done.go);
  }

  for (const box of document.querySelectorAll("[data-passkey]")) {
    const button = box.querySelector("button");
    const alert = box.querySelector("[role=alert]");
    const say = (text) => { alert.textContent = text; alert.hidden = false; };
    if (!supported) {
      button.disabled = true;
      say("This browser has no passkeys.");
      continue;
    }
    button.addEventListener("click", async () => {
      button.disabled = true;
      alert.hidden = true;
      try {
        await ceremony(box.dataset.passkey, box);
      } catch (error) {
        const text = error instanceof Refused ? error.message
          : error.name === "InvalidStateError" ? "This device has a passkey for your account already."
          : error.name === "NotAllowedError" ? "Nothing was done: the request was cancelled or took too long."
          : "That did not work. Try again.";
        say(text);
        button.disabled = false;
      }
    });
  }
})();
