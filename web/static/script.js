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
