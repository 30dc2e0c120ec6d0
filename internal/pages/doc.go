// Package pages renders what people see of Cardea: sign-in, consent, devices, their
// account, and errors. Pages are plain HTML that works without JavaScript; they hold no
// policy and no state.
//
// A page is a [Page] with a content of one of the types of this package, written by
// [Render]. Everything a page shows goes through html/template, and nothing of it is
// inline style or script, so that the Content-Security-Policy forbids both.
package pages
