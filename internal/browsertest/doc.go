// Package browsertest holds the tests that need a browser: Chromium goes
// through the portal as a person does, looks at each page in two widths and
// both colour schemes, and, with -update, takes the pictures in docs/images.
// It has no code of its own. Without Chromium the tests are left out.
package browsertest
