// Key pairs that are made, or stay, in this browser: for the form in which a
// service is registered, and for trying it. Private keys are never sent. The
// pages are whole without this script, but for making keys.
(() => {
  'use strict';
  // Absent on pages that come neither by https nor from this machine.
  const subtle = window.crypto && window.crypto.subtle;

  const algorithms = {
    ES384: {
      make: { name: 'ECDSA', namedCurve: 'P-384' },
      use: { name: 'ECDSA', namedCurve: 'P-384' },
      sign: { name: 'ECDSA', hash: 'SHA-384' },
      members: ['crv', 'kty', 'x', 'y'],
    },
    RS384: {
      make: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 3072, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-384' },
      use: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
      sign: { name: 'RSASSA-PKCS1-v1_5' },
      members: ['e', 'kty', 'n'],
    },
  };

  const encoder = new TextEncoder();
  const bytes = (buffer) => String.fromCharCode(...new Uint8Array(buffer));
  const encode64 = (buffer) => btoa(bytes(buffer)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const part = (json) => encode64(encoder.encode(JSON.stringify(json)));

  // algorithmOf is what a key signs with here.
  function algorithmOf(jwk) {
    if (jwk.kty === 'RSA') return 'RS384';
    if (jwk.kty === 'EC' && jwk.crv === 'P-384') return 'ES384';
    throw new Error(`A key of type ${[jwk.kty, jwk.crv].filter(Boolean).join(' ')} cannot be used: take an RSA key, or one on P-384.`);
  }

  // publicJWK is the public half of a JWK, named by its thumbprint (RFC 7638)
  // unless it has a name.
  async function publicJWK(jwk) {
    const alg = algorithmOf(jwk);
    const numbers = {};
    for (const member of algorithms[alg].members) numbers[member] = jwk[member]; // in the order of the alphabet
    const thumbprint = encode64(await subtle.digest('SHA-256', encoder.encode(JSON.stringify(numbers))));
    return { ...numbers, use: 'sig', alg, kid: jwk.kid || thumbprint };
  }

  // privateJWK is what is kept of a private key: what it may be used for is left
  // to whoever imports it.
  async function privateJWK(jwk) {
    const { key_ops, ext, ...numbers } = jwk;
    const { use, alg, kid } = await publicJWK(jwk);
    return { ...numbers, use, alg, kid };
  }

  const importPrivate = (jwk, extractable) =>
    subtle.importKey('jwk', { ...jwk, key_ops: ['sign'], ext: true }, algorithms[jwk.alg].use, extractable, ['sign']);

  // fromPEM reads PKCS #8 or SubjectPublicKeyInfo.
  async function fromPEM(text) {
    const block = /-----BEGIN (PRIVATE|PUBLIC) KEY-----([^-]+)-----END \1 KEY-----/.exec(text);
    if (!block) {
      throw new Error('It is neither a JWK nor PEM with PRIVATE KEY (PKCS #8) or PUBLIC KEY. openssl pkcs8 -topk8 -nocrypt converts other private keys.');
    }
    const isPrivate = block[1] === 'PRIVATE';
    const der = Uint8Array.from(atob(block[2].replace(/\s+/g, '')), (c) => c.charCodeAt(0));
    for (const { use } of Object.values(algorithms)) {
      try {
        const key = await subtle.importKey(isPrivate ? 'pkcs8' : 'spki', der, use, true, [isPrivate ? 'sign' : 'verify']);
        return await subtle.exportKey('jwk', key);
      } catch { /* of the other kind */ }
    }
    throw new Error('The key is neither RSA nor on P-384.');
  }

  // readKeys reads a JWK Set, a JWK or PEM, and returns JWKs with whatever they
  // have of private members.
  async function readKeys(text) {
    if (!/^\s*[{[]/.test(text)) return [await fromPEM(text)];
    const json = JSON.parse(text);
    return Array.isArray(json) ? json : json.keys || [json];
  }

  async function toPEM(jwk) {
    const der = await subtle.exportKey('pkcs8', await importPrivate(jwk, true));
    const lines = btoa(bytes(der)).match(/.{1,64}/g).join('\n');
    return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
  }

  // looksPrivate reports whether a text holds a private or secret key: PEM, or
  // a JWK with d or k.
  const looksPrivate = (text) => /PRIVATE KEY-----|"[dk]"\s*:/.test(text);

  // Keys that were made here stay until the tab is closed, by their kid.
  const kept = {
    all: () => JSON.parse(sessionStorage.getItem('sandfhir-keys') || '{}'),
    find: (kids) => kids.map((kid) => kept.all()[kid]).find(Boolean),
    put: (jwk) => sessionStorage.setItem('sandfhir-keys', JSON.stringify({ ...kept.all(), [jwk.kid]: jwk })),
    forget(kid) {
      const { [kid]: forgotten, ...others } = kept.all();
      sessionStorage.setItem('sandfhir-keys', JSON.stringify(others));
    },
  };

  // The form in which a service is registered.
  const field = document.getElementById('f-jwks');
  if (field) {
    const made = document.getElementById('made');
    const said = document.getElementById('pasted');

    const setKeys = (list) => { field.value = JSON.stringify({ keys: list }, null, 2); };

    const download = (name, type, text, label) => {
      const link = document.createElement('a');
      link.download = name;
      link.href = `data:${type};base64,${btoa(text)}`;
      link.textContent = label;
      return link;
    };

    // offer lets the person keep the private key that was made here.
    async function offer(jwk) {
      const text = document.createElement('p');
      text.textContent = `A key pair for ${jwk.alg} was made, and its public half is below. Save the private key now: it is in this tab alone, which signs with it when you try the service, until you close the tab.`;
      const forget = document.createElement('button');
      forget.type = 'button';
      forget.textContent = 'Forget the private key';
      forget.addEventListener('click', () => {
        kept.forget(jwk.kid);
        made.replaceChildren('This tab has forgotten the private key.');
      });
      const actions = document.createElement('p');
      actions.className = 'actions';
      actions.append(
        download('private.pem', 'application/x-pem-file', await toPEM(jwk), 'Private key as PEM'),
        download('private.jwk', 'application/json', JSON.stringify(jwk, null, 2), 'Private key as JWK'),
        forget,
      );
      made.replaceChildren(text, actions);
      made.hidden = false;
    }

    async function makePair(alg) {
      const pair = await subtle.generateKey(algorithms[alg].make, true, ['sign', 'verify']);
      const jwk = await privateJWK(await subtle.exportKey('jwk', pair.privateKey));
      kept.put(jwk);
      setKeys([await publicJWK(jwk)]);
      await offer(jwk);
    }

    // convert turns what was pasted into public JWKs, before it can be sent.
    async function convert() {
      const text = field.value;
      const isPrivate = looksPrivate(text);
      if (!isPrivate && !(subtle && text.includes('-----BEGIN'))) return; // the server reads public PEM too
      try {
        if (!subtle) throw new Error('Paste the public half, which openssl pkey -pubout writes.');
        const list = await Promise.all((await readKeys(text)).map(publicJWK));
        if (field.value !== text) return;
        setKeys(list);
        said.textContent = isPrivate ? 'That was a private key. It was not sent, and only its public half is left here.' : 'The PEM was turned into a JWK.';
      } catch (e) {
        if (isPrivate) field.value = '';
        said.textContent = isPrivate ? `That was a private or secret key. It was not sent, and it was taken out. ${e.message}` : e.message;
      }
    }
    field.addEventListener('paste', () => setTimeout(convert));
    field.addEventListener('change', convert);
    document.getElementById('service-form').addEventListener('submit', (event) => {
      if (!looksPrivate(field.value)) return;
      event.preventDefault();
      convert();
    });

    if (subtle) {
      const making = document.getElementById('make-key');
      making.hidden = false;
      for (const button of making.querySelectorAll('[data-make]')) {
        button.addEventListener('click', async () => {
          button.disabled = true; // RSA takes its time
          await makePair(button.dataset.make);
          button.disabled = false;
          button.focus();
        });
      }
      // A key that was made before the form came back from the server.
      readKeys(field.value).then((list) => kept.find(list.map((jwk) => jwk.kid))).then((jwk) => jwk && offer(jwk)).catch(() => { /* no keys yet */ });
    }
  }

  // assertion is a client assertion (SMART App Launch 2.2, Client Authentication:
  // Asymmetric), for four minutes of the five that there may be.
  async function assertion(jwk, client, audience) {
    const header = { alg: jwk.alg, typ: 'JWT', kid: jwk.kid };
    const claims = { iss: client, sub: client, aud: audience, exp: Math.floor(Date.now() / 1000) + 240, jti: crypto.randomUUID() };
    const input = `${part(header)}.${part(claims)}`;
    return `${input}.${encode64(await subtle.sign(algorithms[jwk.alg].sign, await importPrivate(jwk, false), encoder.encode(input)))}`;
  }

  // The form in which a service is tried.
  const form = document.getElementById('try-form');
  const pasted = document.getElementById('try-assertion');
  if (form && pasted) {
    const file = document.getElementById('try-file');
    const trouble = document.getElementById('try-trouble');
    const note = document.getElementById('try-kept');
    const forget = document.getElementById('try-forget');
    const kids = form.dataset.kids.split(' ').filter(Boolean);

    const ready = () => {
      const jwk = kept.find(kids);
      note.textContent = jwk
        ? 'The key pair that you made in this tab signs, unless you choose another key.'
        : 'Choose the private key of the service, or paste an assertion below.';
      forget.hidden = !jwk;
    };
    forget.addEventListener('click', () => {
      kept.forget(kept.find(kids).kid);
      ready();
    });

    // chosen is the private key that signs.
    async function chosen() {
      if (file.files.length === 0) return kept.find(kids);
      const [jwk] = await readKeys(await file.files[0].text());
      if (!jwk || !jwk.d) throw new Error('That is no private key, and only a private key signs.');
      const named = await privateJWK(jwk);
      return jwk.kid || kids.length !== 1 ? named : { ...named, kid: kids[0] };
    }

    async function sign() {
      const jwk = await chosen();
      if (!jwk) throw new Error('Choose the private key of the service, or paste an assertion that is signed with it.');
      const environment = form.elements.environment ? form.elements.environment.value : 'sandbox';
      pasted.value = await assertion(jwk, form.dataset.client, form.dataset[environment]);
      form.submit();
    }

    const explain = (e) => {
      trouble.textContent = e.message;
      trouble.hidden = false;
    };
    form.addEventListener('submit', (event) => {
      trouble.hidden = true;
      if (looksPrivate(pasted.value)) {
        event.preventDefault();
        pasted.value = '';
        explain(new Error('That was a private key. It was not sent, and it was taken out: an assertion is a JWT signed with it.'));
      } else if (pasted.value.trim() === '' && subtle) {
        event.preventDefault();
        sign().catch(explain);
      }
    });
    if (subtle) {
      document.getElementById('try-key').hidden = false;
      ready();
    }
  }
})();
