// Passkeys. <form data-passkey="create|get"> asks the browser for one when it is sent, puts the answer into its
// field "credential" and goes on. What to ask stands in the JSON element that data-passkey-options names, or comes from
// the address in data-passkey-ask. Forms that are of no use without one are hidden until it is clear that it works.
const WORDS = {
  NotAllowedError: "That was cancelled, or took too long. Try again when you are ready.",
  InvalidStateError: "That one is set up already. Use another device or key.",
  SecurityError: "Passkeys work on this site's own address only. Check the address above, or use another way.",
  NotSupportedError: "This device has nothing that fits. Use another way.",
};

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => list?.map((each) => ({ ...each, id: toBytes(each.id) }));

// The bytes that JSON holds as text.
function readable({ publicKey: asked }) {
  const options = { ...asked, challenge: toBytes(asked.challenge) };
  if (asked.user) options.user = { ...asked.user, id: toBytes(asked.user.id) };
  if (asked.excludeCredentials) options.excludeCredentials = known(asked.excludeCredentials);
  if (asked.allowCredentials) options.allowCredentials = known(asked.allowCredentials);
  return options;
}

// And back: what `credential.toJSON()` gives in browsers that have it.
function writable(credential) {
  const { response } = credential;
  const said = { clientDataJSON: toText(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (response[name]) said[name] = toText(response[name]);
  if (response.getTransports) said.transports = response.getTransports();
  return {
    id: credential.id, rawId: toText(credential.rawId), type: credential.type, response: said,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function options(form) {
  const { passkeyAsk: url, passkeyOptions: id } = form.dataset;
  if (!url) return JSON.parse(document.getElementById(id).textContent);
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  return (await answer.json()).request_options;
}

async function ask(form) {
  const publicKey = readable(await options(form));
  if (form.dataset.passkey === "get") return navigator.credentials.get({ publicKey });
  const alone = form.elements.namedItem("passwordless")?.checked ?? false;
  publicKey.authenticatorSelection = {
    ...publicKey.authenticatorSelection,
    residentKey: alone ? "required" : "discouraged", requireResidentKey: alone,
    ...(alone && { userVerification: "required" }),
  };
  return navigator.credentials.create({ publicKey });
}

async function send(form) {
  const trouble = form.querySelector("[data-passkey-trouble]");
  const button = form.querySelector("button[type=submit]");
  trouble.hidden = true;
  button.classList.add("is-sending");
  try {
    form.elements.namedItem("credential").value = JSON.stringify(writable(await ask(form)));
    form.submit();
  } catch (error) {
    button.classList.remove("is-sending");
    trouble.textContent = WORDS[error.name] ?? "That did not work. Try again, or use another way.";
    trouble.hidden = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (window.PublicKeyCredential) form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation(); // the site's own way of sending would count it as sent
    send(form);
  });
}
