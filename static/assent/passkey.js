/* Passkeys on the officers' sign-in pages. Without this file the codes of an authenticator app still work. */
(() => {
  "use strict";
  const place = document.querySelector("[data-passkey]");
  if (!place || !window.PublicKeyCredential) return;
  const button = place.querySelector("button");
  const problem = place.querySelector("[role=alert]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const withIds = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const post = async (url, body) => {
    const answer = await fetch(url, {
      method: "POST", headers: { "X-CSRFToken": token, "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    const found = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(found.problem || "That did not work. Too many tries? Wait 15 minutes.");
    return found;
  };

  const make = async (options) => {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    } });
    return { id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {}, response: {
      clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject),
    } };
  };

  const use = async (options) => {
    const used = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge), allowCredentials: withIds(options.allowCredentials),
    } });
    return { id: used.id, rawId: text(used.rawId), type: used.type, clientExtensionResults: {}, response: {
      clientDataJSON: text(used.response.clientDataJSON), authenticatorData: text(used.response.authenticatorData),
      signature: text(used.response.signature),
    } };
  };

  button.hidden = false;
  button.addEventListener("click", async () => {
    problem.hidden = true;
    button.disabled = true;
    try {
      const options = await post(place.dataset.options, {});
      const adds = place.dataset.passkey === "add";
      const response = await (adds ? make : use)(options);
      const name = adds ? `?name=${encodeURIComponent(place.querySelector("input:not([type=hidden])").value)}` : "";
      window.location.assign((await post(place.dataset.send + name, response)).next);
    } catch (failure) {
      problem.textContent = failure.name === "NotAllowedError" ? "The passkey was not used. Try again." : failure.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });
})();
