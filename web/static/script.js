// A copy button for everything that is marked data-copy. The pages are whole
// without it, and it stays away where the browser has no clipboard for it,
// which is so on any page that comes neither by https nor from this machine.
(() => {
  'use strict';
  if (!navigator.clipboard) return;

  const said = document.createElement('p');
  said.className = 'hidden';
  said.setAttribute('role', 'status');
  document.body.append(said);

  for (const source of document.querySelectorAll('[data-copy]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy ' + source.dataset.copy);
    let timer;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = said.textContent = 'Copied';
      } catch {
        button.textContent = said.textContent = 'Not copied';
      }
      clearTimeout(timer);
      timer = setTimeout(() => {
        button.textContent = 'Copy';
        said.textContent = '';
      }, 1500);
    });
    source.closest('.copyable').append(button);
  }
})();

// What is wrong with a form is what a person reads first.
document.getElementById('problems')?.focus();

// The rows of the scope picker, and the scopes that they make, as they arise.
(() => {
  'use strict';
  const built = document.getElementById('built');
  if (!built) return;
  const form = document.getElementById('service-form');

  function scope(type, letters, version) {
    if (version !== '1') return `system/${type}.${letters}`;
    const reads = /[rs]/.test(letters);
    const writes = /[cud]/.test(letters);
    return `system/${type}.${reads && writes ? '*' : writes ? 'write' : 'read'}`;
  }

  function show() {
    const version = form.elements.scope_version.value;
    const scopes = [];
    for (const row of form.querySelectorAll('.scope-row')) {
      const type = row.querySelector('select').value;
      const letters = [...row.querySelectorAll('input:checked')].map((box) => box.value).join('');
      if (type && letters) scopes.push(scope(type, letters, version));
    }
    const more = form.elements.scope.value.trim();
    if (more) scopes.push(...more.split(/\s+/));
    built.textContent = scopes.join(' ') || 'none yet';
  }
  // number makes a row the nth, as the server would write it.
  function number(row, n) {
    row.setAttribute('aria-label', `Resource type ${n}`);
    row.querySelector('select').name = `type-${n}`;
    for (const box of row.querySelectorAll('input')) {
      box.name = `op-${n}`;
      box.id = `op-${n}-${box.value}`;
      box.nextElementSibling.htmlFor = box.id;
    }
    const remove = row.querySelector('button');
    remove.value = n;
    remove.setAttribute('aria-label', `Remove resource type ${n}`);
  }

  const rows = document.getElementById('scope-rows');
  form.addEventListener('click', (event) => {
    const button = event.target;
    if (button.name === 'add') {
      const row = rows.lastElementChild.cloneNode(true);
      row.querySelector('select').value = '';
      for (const box of row.querySelectorAll('input')) box.checked = false;
      rows.append(row);
      row.querySelector('select').focus();
    } else if (button.name === 'remove' && rows.children.length > 1) {
      button.closest('.scope-row').remove();
      document.getElementById('add-row').focus();
    } else {
      return; // the server does the rest
    }
    event.preventDefault();
    [...rows.children].forEach((row, i) => number(row, i + 1));
    show();
  });
  form.addEventListener('input', show);
  form.addEventListener('change', show);
  show();
})();

// The list of exchanges follows what happens: by server-sent events, or by
// asking now and then where they do not come.
(() => {
  'use strict';
  const live = document.getElementById('live');
  if (!live) return;
  const list = document.getElementById('exchange-list');
  let pending;

  async function refresh() {
    pending = undefined;
    if (document.hidden) return later(1000);
    try {
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById('exchange-list');
      if (fresh && fresh.innerHTML !== list.innerHTML) list.replaceChildren(...fresh.childNodes);
    } catch {
      live.textContent = 'the server is gone';
    }
  }
  // later brings what comes close together at once.
  function later(ms) {
    pending ??= setTimeout(refresh, ms);
  }

  let polling;
  function poll() {
    live.textContent = 'updated every 5 seconds';
    polling ??= setInterval(refresh, 5000);
  }
  if (!window.EventSource) return poll();
  const events = new EventSource(live.dataset.events);
  events.addEventListener('open', () => {
    clearInterval(polling);
    polling = undefined;
    live.textContent = 'live';
    later(0); // what came while nobody listened
  });
  events.addEventListener('exchange', () => later(250));
  events.addEventListener('error', () => {
    if (events.readyState === EventSource.CLOSED) poll();
    else live.textContent = 'connecting';
  });
  window.addEventListener('pagehide', () => events.close());
})();
