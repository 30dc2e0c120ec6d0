// Package browser tests the pages of Cardea in a real Chromium, driven through the DevTools
// protocol: signing in, the dashboard of every product under examples/ with the labels of
// its page, and the operator's console.
//
// A test finds what a person would find, by role and name (button "Create API Key"), clicks
// where it is drawn, and fails when something lies above it. Every tab is watched while it
// is open: a violation of the Content-Security-Policy, an error on the console, a dialog
// that nobody expects or a request to another host fails the test. [axe-core] looks at each
// page in an isolated world, so that the pages' policies stay in force.
//
// One Chromium serves all tests, each in a browser context of its own, and reaches a running
// `cardea dev` under the host names of its contract through a proxy that knows no other way.
// `scripts/interop` installs Chromium and axe-core. CARDEA_PICTURES=docs/images keeps
// pictures of the pages.
//
// [axe-core]: https://github.com/dequelabs/axe-core
package browser
