// Package dashboard is the web app of both audiences: the portal, where an organization's
// members manage what is theirs, and the console, where the company's own people see every
// organization. The areas below it hold the pages, package web what every page needs.
package dashboard
