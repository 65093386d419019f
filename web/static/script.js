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

// The scopes that the rows of the picker make, as they arise.
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
  form.addEventListener('input', show);
  form.addEventListener('change', show);
  show();
})();
