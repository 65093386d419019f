// A backend-service client by what comes with Node.js alone: from discovery to the lines of
// an export, over whatever goes wrong on the way. It reads a task a line, as JSON, and writes
// what it met and how many patients it got, a line each.

import crypto from 'node:crypto';
import http from 'node:http';
import readline from 'node:readline';
import zlib from 'node:zlib';

const tries = 6; // of everything that can be tried again
const longest = 30; // milliseconds that it really waits, whatever it is told

class Client {
  constructor(task) {
    this.task = task;
    this.log = [];
  }

  // request sends one request over a connection of its own. Of an answer that is cut, complete is
  // false; where there is none at all, status is 0.
  request(method, url, headers = {}, body) {
    return new Promise((resolve) => {
      const chunks = [];
      const done = (status, answered, complete) =>
        resolve({ status, headers: answered, complete, body: Buffer.concat(chunks) });
      const req = http.request(url, { method, headers, agent: false }, (res) => {
        res.on('data', (chunk) => chunks.push(chunk));
        res.on('error', () => done(res.statusCode, res.headers, false));
        res.on('end', () => done(res.statusCode, res.headers, res.complete));
      });
      req.on('error', () => done(0, {}, false));
      req.end(body);
    });
  }

  // wait waits as an answer asks for: seconds, or a date (RFC 9110 section 10.2.3).
  wait(answer) {
    const text = answer.headers['retry-after'];
    if (text !== undefined && /^[0-9]+$/.test(text)) {
      this.log.push(Number(text) > 600 ? `wait ${text}s: too long` : `wait ${text}s`);
    } else if (text !== undefined) {
      this.log.push(`wait ${Math.round((Date.parse(text) - Date.parse(answer.headers.date)) / 1000)}s, by a date`);
    }
    return new Promise((resolve) => setTimeout(resolve, longest));
  }

  async discover() {
    for (let i = 0; i < tries; i++) {
      const answer = await this.request('GET', this.task.fhir + '/.well-known/smart-configuration', { accept: 'application/json' });
      const type = answer.headers['content-type'] ?? 'nothing';
      let found;
      try {
        found = JSON.parse(answer.body);
      } catch {
        // no JSON
      }
      if (typeof found?.token_endpoint === 'string') {
        if (!type.startsWith('application/json')) this.log.push(`discovery as ${type}`);
        for (const name of ['registration_endpoint', 'capabilities']) {
          if (!(name in found)) this.log.push(`discovery without ${name}`);
        }
        this.smart = found;
        return;
      }
      this.log.push(`discovery unusable: ${answer.status} ${type}`);
    }
    throw new Error('no discovery');
  }

  assertion() {
    const allowed = this.smart.token_endpoint_auth_signing_alg_values_supported;
    const key = this.task.keys.find((k) => allowed.includes(k.alg));
    const now = Math.floor(Date.now() / 1000);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = part({ alg: key.alg, kid: key.kid, typ: 'JWT' }) + '.' + part({
      iss: this.task.client, sub: this.task.client, aud: this.smart.token_endpoint,
      exp: now + (this.task.ahead ?? 240), jti: crypto.randomUUID(),
    });
    this.alg = key.alg;
    return text + '.' + crypto.sign('sha384', Buffer.from(text), { key: key.pem, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  }

  async authorize() {
    let scope = this.task.scope;
    for (let i = 0; i < tries; i++) {
      if (!this.smart) await this.discover();
      const form = new URLSearchParams({
        grant_type: 'client_credentials', scope,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: this.assertion(),
      });
      const answer = await this.request('POST', this.smart.token_endpoint, { 'content-type': 'application/x-www-form-urlencoded' }, form.toString());
      let got = {};
      try {
        got = JSON.parse(answer.body);
      } catch {
        // no JSON
      }
      if (answer.status === 200 && got.access_token) {
        this.log.push(`token 200 ${this.alg} ${got.token_type} expires_in ${JSON.stringify(got.expires_in)} scope ${got.scope}`);
        this.token = got.access_token;
        return;
      }
      const reason = got.error_description === null ? 'null' : (got.error_description ?? '').split(':')[0];
      this.log.push(`token ${answer.status} ${got.error ?? ''} ${reason}`.trim());
      if (answer.status === 404) this.smart = undefined;
      if (got.error === 'invalid_scope') scope = scope.replace(/\.rs\b/g, '.read');
      await this.wait(answer);
    }
    throw new Error('no token');
  }

  // fhir sends a request with the token, and again with another one where that has died.
  async fhir(what, url, headers = {}) {
    for (let i = 0; i < tries; i++) {
      if (!this.token) await this.authorize();
      const answer = await this.request('GET', url, { accept: 'application/fhir+json', ...headers, authorization: 'Bearer ' + this.token });
      if (answer.status === 401) {
        this.log.push(`${what} 401`);
        this.token = undefined;
      } else if (answer.status === 429 || answer.status === 503 || answer.status === 0) {
        this.log.push(`${what} ${answer.status || 'without an answer'}${answer.body.includes('"transient"') ? ' transient' : ''}`);
        await this.wait(answer);
      } else {
        return answer;
      }
    }
    throw new Error('no ' + what);
  }

  async kickOff() {
    const url = `${this.task.fhir}/$export?_type=${this.task.type}`;
    const answer = await this.fhir('kick-off', url, { prefer: 'respond-async' });
    if (answer.status !== 202) throw new Error(`kick-off ${answer.status}`);
    const at = answer.headers['content-location'];
    const status = new URL(at, url);
    if (!at.startsWith('http')) this.log.push('kick-off with a relative URL');
    if (status.host !== new URL(url).host) {
      this.log.push('kick-off with the host ' + status.host);
      status.host = new URL(url).host;
    }
    return status.href;
  }

  async manifest(status) {
    let url = status;
    for (let i = 0; i < 2 * tries; i++) {
      const answer = await this.fhir('status', url);
      if (answer.status === 202) {
        this.log.push(`status 202 ${answer.headers['x-progress'] ?? 'without progress'}`);
        await this.wait(answer);
      } else if (answer.status === 303) {
        this.log.push('status 303');
        url = new URL(answer.headers.location, url).href;
      } else if (answer.status !== 200) {
        throw new Error(`job ${answer.status}`);
      } else {
        let found = JSON.parse(answer.body);
        if (found.resourceType === 'Bundle') {
          this.log.push('manifest in a Bundle');
          found = JSON.parse(Buffer.from(found.entry[0].resource.data, 'base64'));
        }
        if (!('error' in found)) this.log.push('manifest without error');
        return found;
      }
    }
    throw new Error('no manifest');
  }

  // file fetches a file, and the rest of one that was cut. The token goes to its own server
  // alone, unless the task says that it leaks.
  async file(entry, needsToken) {
    let body = Buffer.alloc(0);
    let url = entry.url;
    for (let i = 0; i < tries; i++) {
      const foreign = new URL(url).host !== new URL(this.task.fhir).host;
      const headers = { accept: 'application/fhir+ndjson' };
      if (body.length > 0) headers.range = `bytes=${body.length}-`;
      const answer = this.task.leaks || (needsToken && !foreign)
        ? await this.fhir('file', url, headers)
        : await this.request('GET', url, headers);
      if (answer.status === 307) {
        this.log.push('file 307');
        url = new URL(answer.headers.location, url).href;
        continue;
      }
      if (answer.status !== 200 && answer.status !== 206) {
        this.log.push(`file ${answer.status} ${/<Message>([^<;]*)/.exec(answer.body)?.[1] ?? ''}`.trim());
        url = entry.url;
        continue;
      }
      body = Buffer.concat([body, answer.body]);
      if (!answer.complete) {
        this.log.push(`file cut at ${body.length} of ${answer.headers['content-length']}`);
        continue;
      }
      const type = answer.headers['content-type'];
      if (type !== 'application/fhir+ndjson') this.log.push('file as ' + type);
      return this.read(body, answer.headers['content-encoding']);
    }
    throw new Error('no file');
  }

  // read reads the lines of a file.
  read(body, encoding) {
    this.sum = crypto.createHash('sha256').update(body).digest('hex');
    if (body[0] === 0x1f && body[1] === 0x8b) {
      this.log.push(`file is gzip, says ${encoding ?? 'nothing'}`);
      body = zlib.gunzipSync(body);
    }
    if (body.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) {
      this.log.push('file begins with a BOM');
      body = body.subarray(3);
    }
    const text = body.toString();
    if (text.includes('\r\n')) this.log.push('file has CR LF');
    if (text !== '' && !text.endsWith('\n')) this.log.push('file ends without an end of line');
    const lines = text.split(/\r?\n/);
    if (lines.slice(0, -1).includes('')) this.log.push('file has blank lines');
    const length = Math.max(...lines.map((line) => line.length));
    if (length > 1000000) this.log.push(`file has a line of ${length}`);
    const list = [];
    for (const line of lines) {
      if (line === '') continue;
      try {
        list.push(JSON.parse(line));
      } catch {
        this.log.push('file has half a line');
      }
    }
    return list;
  }

  // download fetches what a manifest names, on all its pages, and counts the patients.
  async download(manifest) {
    const patients = new Set();
    for (let page = manifest; ; ) {
      for (const entry of page.output) {
        if (!entry.type) this.log.push('entry without type');
        let list = await this.file(entry, page.requiresAccessToken);
        const checksum = entry.extension?.find((e) => e.url.endsWith('/checksum'))?.valueString;
        if (checksum && checksum !== 'sha256:' + this.sum) {
          this.log.push('checksum differs');
          list = await this.file(entry, page.requiresAccessToken);
        }
        if (entry.count !== list.length) this.log.push(`count is ${entry.count}, file has ${list.length}`);
        for (const r of list) if (r.resourceType === 'Patient') patients.add(r.id);
      }
      for (const entry of page.error ?? []) {
        for (const outcome of await this.file(entry, page.requiresAccessToken)) {
          this.log.push(`error file: ${outcome.issue[0].severity}, ${outcome.issue[0].diagnostics}`);
        }
      }
      for (const entry of page.deleted ?? []) {
        for (const bundle of await this.file(entry, page.requiresAccessToken)) {
          for (const { request } of bundle.entry) {
            this.log.push(`deleted ${request.url}`);
            patients.delete(request.url.replace('Patient/', ''));
          }
        }
      }
      const next = page.link?.find((l) => l.relation === 'next');
      if (!next) return patients.size;
      this.log.push('next page');
      page = JSON.parse((await this.fhir('manifest', next.url)).body);
    }
  }

  async run() {
    const begun = performance.now();
    const read = await this.fhir('read', this.task.fhir + '/Patient?_count=1');
    this.log.push(`read ${read.status}${performance.now() - begun >= 100 ? ' late' : ''}`);
    for (let i = 0; i < 2; i++) {
      try {
        return await this.download(await this.manifest(await this.kickOff()));
      } catch (err) {
        this.log.push(err.message);
      }
    }
    throw new Error('no export');
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const client = new Client(JSON.parse(line));
  let patients = -1;
  try {
    patients = await client.run();
  } catch (err) {
    client.log.push('gave up: ' + err.message);
  }
  console.log(JSON.stringify({ log: client.log, patients }));
}
