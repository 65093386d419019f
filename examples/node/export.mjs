// A backend service in Node without packages: it knows a FHIR base URL, registers itself,
// obtains a token with SMART Backend Services and runs a bulk export.
//
//     node node/export.mjs http://127.0.0.1:8080/fhir

import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const keyID = "example-key";
const b64 = (value) => Buffer.from(value).toString("base64url");

/** Sends a request. Where the server refuses, its own words say why. */
async function call(url, init) {
  let answer;
  try {
    answer = await fetch(url, init);
  } catch (error) {
    fail(`${url}: ${error.cause?.message || error.cause?.code || error.message}`);
  }
  if (answer.status >= 400) {
    fail(`${url}: ${answer.status} ${answer.statusText}: ${await answer.text()}`);
  }
  return answer;
}

function fail(message) {
  console.error(message.trimEnd());
  process.exit(1);
}

/** Everything else is found from the FHIR base URL. */
async function discover(fhir) {
  return (await call(`${fhir}/.well-known/smart-configuration`)).json();
}

/** Registers a client (RFC 7591) and returns its id. The server gets the public key only. */
async function register(smart, publicKey) {
  const jwk = { ...publicKey.export({ format: "jwk" }), alg: "ES384", use: "sig", kid: keyID };
  const answer = await call(smart.registration_endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      client_name: "Node example",
      token_endpoint_auth_method: "private_key_jwt",
      grant_types: ["client_credentials"],
      scope: "system/*.rs",
      jwks: { keys: [jwk] },
    }),
  });
  return (await answer.json()).client_id;
}

/** Returns a JWT of a few minutes. Every token request needs a new one. */
function assertion(clientID, audience, key) {
  const header = { alg: "ES384", typ: "JWT", kid: keyID };
  const claims = {
    iss: clientID,
    sub: clientID,
    aud: audience,
    exp: Math.floor(Date.now() / 1000) + 240,
    jti: randomUUID(),
  };
  const signed = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(claims))}`;
  // A JWS holds r and s side by side; Node's default would be ASN.1.
  const signature = sign("sha384", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${b64(signature)}`;
}

async function obtainToken(smart, clientID, key) {
  const answer = await call(smart.token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      scope: "system/*.rs",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: assertion(clientID, smart.token_endpoint, key),
    }),
  });
  return (await answer.json()).access_token;
}

/**
 * Kicks an export off, asks until it is done, and counts the lines of its files. An export that
 * outlives the token (expires_in, five minutes here) needs a new one on the way.
 */
async function exportPatients(fhir, token) {
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: "application/fhir+json",
    Prefer: "respond-async",
  };
  const job = (await call(`${fhir}/Patient/$export`, { headers })).headers.get("Content-Location");
  let answer;
  while ((answer = await call(job, { headers })).status === 202) {
    await sleep(1000 * Number(answer.headers.get("Retry-After")));
  }
  for (const file of (await answer.json()).output) {
    const ndjson = await (await call(file.url, { headers })).text();
    console.log(file.type, ndjson.split("\n").length - 1);
  }
}

const [fhir] = process.argv.slice(2);
if (!fhir) {
  console.error("usage: export.mjs FHIR-BASE-URL");
  process.exit(2);
}
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
const smart = await discover(fhir);
const clientID = await register(smart, publicKey);
await exportPatients(fhir, await obtainToken(smart, clientID, privateKey));
