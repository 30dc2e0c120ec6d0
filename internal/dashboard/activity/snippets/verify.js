const crypto = require("node:crypto");

// headers: names in lower case; body: the bytes as they came. Throws.
function verify(secret, headers, body) {
  const message = headers["webhook-id"], sent = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(sent)) <= 300)) throw new Error("too old, or from the future");
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = crypto.createHmac("sha256", key).update(`${message}.${sent}.`).update(body).digest();
  const holds = headers["webhook-signature"].split(" ").some((s) => {
    const given = Buffer.from(s.replace(/^v1,/, ""), "base64");
    return s.startsWith("v1,") && given.length === expected.length && crypto.timingSafeEqual(given, expected);
  });
  if (!holds) throw new Error("the signature does not hold");
}
