// Key pairs that are made, or stay, in this browser: for the form in which a
// service is registered, and for trying it. Private keys are never sent. The
// pages are whole without this script, but for making keys.
(() => {
  'use strict';
  if (!window.crypto || !crypto.subtle) return; // neither by https nor from this machine

  const algorithms = {
    ES384: {
      make: { name: 'ECDSA', namedCurve: 'P-384' },
      sign: { name: 'ECDSA', hash: 'SHA-384' },
      members: ['crv', 'kty', 'x', 'y'],
    },
    RS384: {
      make: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 3072, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-384' },
      sign: { name: 'RSASSA-PKCS1-v1_5' },
      members: ['e', 'kty', 'n'],
    },
  };
  const importing = (alg) => (alg === 'ES384' ? algorithms.ES384.make : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' });

  const encoder = new TextEncoder();
  const bytes = (buffer) => String.fromCharCode(...new Uint8Array(buffer));
  const base64url = (buffer) => btoa(bytes(buffer)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const part = (json) => base64url(encoder.encode(JSON.stringify(json)));

  // publicJWK is the public half of a JWK, named by its thumbprint (RFC 7638)
  // unless it has a name.
  async function publicJWK(jwk, alg) {
    const numbers = {};
    for (const member of algorithms[alg].members) numbers[member] = jwk[member]; // in the order of the alphabet
    const thumbprint = base64url(await crypto.subtle.digest('SHA-256', encoder.encode(JSON.stringify(numbers))));
    return { ...numbers, use: 'sig', alg, kid: jwk.kid || thumbprint };
  }

  // der is what stands between the lines of a PEM block.
  function der(pem) {
    const body = pem.replace(/-----[^-]+-----/g, '').replace(/\s+/g, '');
    return Uint8Array.from(atob(body), (c) => c.charCodeAt(0));
  }

  function pem(label, buffer) {
    const lines = btoa(bytes(buffer)).replace(/(.{64})/g, '$1\n').trimEnd();
    return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
  }

  // readKey reads a key in PEM (PKCS #8 or SubjectPublicKeyInfo) or JWK and
  // returns its public JWK, with its private JWK where it has one.
  async function readKey(text) {
    text = text.trim();
    if (text.startsWith('{')) {
      const json = JSON.parse(text);
      const jwk = json.keys ? json.keys[0] : json;
      const alg = jwk.kty === 'RSA' ? 'RS384' : 'ES384';
      return { public: await publicJWK(jwk, alg), private: jwk.d ? { ...jwk, alg } : null };
    }
    const isPrivate = /-----BEGIN PRIVATE KEY-----/.test(text);
    if (!isPrivate && !/-----BEGIN PUBLIC KEY-----/.test(text)) {
      throw new Error('It is neither a JWK nor PEM with PRIVATE KEY (PKCS #8) or PUBLIC KEY. openssl pkcs8 -topk8 -nocrypt converts other private keys.');
    }
    for (const alg of Object.keys(algorithms)) {
      try {
        const key = await crypto.subtle.importKey(isPrivate ? 'pkcs8' : 'spki', der(text), importing(alg), true, [isPrivate ? 'sign' : 'verify']);
        const jwk = await crypto.subtle.exportKey('jwk', key);
        const pub = await publicJWK(jwk, alg);
        return { public: pub, private: isPrivate ? { ...jwk, alg, kid: pub.kid } : null };
      } catch { /* of the other kind */ }
    }
    throw new Error('The key is neither RSA nor on P-384.');
  }

  // Keys that were made here stay until the tab is closed, by their kid.
  const kept = {
    get: () => JSON.parse(sessionStorage.getItem('sandfhir-keys') || '{}'),
    put(jwk) { sessionStorage.setItem('sandfhir-keys', JSON.stringify({ ...kept.get(), [jwk.kid]: jwk })); },
    forget() { sessionStorage.removeItem('sandfhir-keys'); },
  };

  function download(name, type, text, label) {
    const link = document.createElement('a');
    link.download = name;
    link.href = `data:${type};base64,${btoa(text)}`;
    link.textContent = label;
    return link;
  }

  function setKeys(jwk) {
    const field = document.getElementById('f-jwks');
    field.value = JSON.stringify({ keys: [jwk] }, null, 2);
    field.dispatchEvent(new Event('input'));
  }

  async function makePair(alg) {
    const pair = await crypto.subtle.generateKey(algorithms[alg].make, true, ['sign', 'verify']);
    const pub = await publicJWK(await crypto.subtle.exportKey('jwk', pair.publicKey), alg);
    const { key_ops, ext, ...jwk } = await crypto.subtle.exportKey('jwk', pair.privateKey);
    const secret = { ...jwk, alg, use: 'sig', kid: pub.kid };
    kept.put(secret);
    setKeys(pub);
    const made = document.getElementById('made');
    const text = document.createElement('p');
    text.textContent = `A key pair for ${alg} was made; its public half is below. Keep the private key now: it is in this tab alone, until you close it.`;
    const forget = document.createElement('button');
    forget.type = 'button';
    forget.textContent = 'Forget the private key';
    forget.addEventListener('click', () => {
      kept.forget();
      made.replaceChildren('The private key is forgotten in this tab.');
    });
    made.replaceChildren(
      text,
      download('private.pem', 'application/x-pem-file', pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', pair.privateKey)), 'Private key as PEM'),
      download('private.jwk', 'application/json', JSON.stringify(secret, null, 2), 'Private key as JWK'),
      forget,
    );
    made.hidden = false;
  }

  const making = document.getElementById('make-key');
  if (making) {
    making.hidden = false;
    for (const button of making.querySelectorAll('[data-make]')) {
      button.addEventListener('click', () => makePair(button.dataset.make));
    }
    const field = document.getElementById('f-jwks');
    const said = document.getElementById('pasted');
    // What is pasted becomes a public JWK before it can be sent.
    const convert = async () => {
      const text = field.value;
      if (!/-----BEGIN|"d"\s*:/.test(text)) return;
      try {
        const key = await readKey(text);
        if (field.value !== text) return;
        setKeys(key.public);
        said.textContent = key.private ? 'That was a private key: only its public half is left here.' : 'The PEM was turned into a JWK.';
      } catch (e) {
        if (/PRIVATE KEY|"d"\s*:/.test(text)) {
          field.value = '';
          said.textContent = `That was a private key, and it was taken out. ${e.message}`;
        } else {
          said.textContent = e.message;
        }
      }
    };
    field.addEventListener('paste', () => setTimeout(convert));
    field.addEventListener('change', convert);
    document.getElementById('service-form').addEventListener('submit', (event) => {
      if (/PRIVATE KEY|"d"\s*:/.test(field.value)) {
        event.preventDefault();
        convert();
      }
    });
  }

  async function assertion(jwk, client, audience) {
    const alg = jwk.kty === 'RSA' ? 'RS384' : 'ES384';
    const { use, key_ops, ...plain } = jwk;
    const key = await crypto.subtle.importKey('jwk', { ...plain, alg, ext: true }, importing(alg), false, ['sign']);
    const header = { alg, typ: 'JWT', kid: jwk.kid || (await publicJWK(jwk, alg)).kid };
    const claims = { iss: client, sub: client, aud: audience, exp: Math.floor(Date.now() / 1000) + 240, jti: crypto.randomUUID() };
    const input = `${part(header)}.${part(claims)}`;
    return `${input}.${base64url(await crypto.subtle.sign(algorithms[alg].sign, key, encoder.encode(input)))}`;
  }

  const form = document.getElementById('try-form');
  const signing = document.getElementById('try-key');
  if (form && signing) {
    const file = document.getElementById('try-file');
    const trouble = document.getElementById('try-trouble');
    const known = (form.dataset.kids || '').split(' ').map((kid) => kept.get()[kid]).find(Boolean);
    signing.hidden = false;
    document.getElementById('try-assertion').rows = 2;
    document.getElementById('try-kept').textContent = known
      ? 'The key pair that you made in this tab signs, unless you choose another one.'
      : 'Choose the private key of the service, or paste an assertion below.';
    form.addEventListener('submit', async (event) => {
      const field = document.getElementById('try-assertion');
      if (field.value.trim() !== '' || (!known && file.files.length === 0)) return;
      event.preventDefault();
      trouble.hidden = true;
      try {
        const jwk = file.files.length > 0 ? (await readKey(await file.files[0].text())).private : known;
        if (!jwk) throw new Error('That is a public key; signing needs the private one.');
        const kids = (form.dataset.kids || '').split(' ');
        if (file.files.length > 0 && kids.length === 1 && kids[0] !== '') jwk.kid = kids[0];
        const environment = form.elements.environment ? form.elements.environment.value : 'sandbox';
        field.value = await assertion(jwk, form.dataset.client, form.dataset[environment]);
        form.submit();
      } catch (e) {
        trouble.textContent = e.message;
        trouble.hidden = false;
      }
    });
  }
})();
