// Package web is the frame of the dashboard: what every one of its pages needs and none
// may leave out. It finds out who is there and for which organization, refuses what comes
// from other sites, renders templates in the product's name with a strict policy for the
// browser, and answers errors.
//
// A page belongs to an [Area], in a package of its own below internal/dashboard. Its
// handlers get a [Visit], ask the use cases (manage, insight, webhook) in the name of the
// visit's actor, and render a [View]. They hold no policy: what somebody may not do, the
// use cases refuse, and [Visit.May] only saves people from seeing buttons that would.
//
// Every page works without JavaScript: a form has a method and an action, a drawer is a
// link to a page. htmx makes some of it quicker: a request that it makes gets one block
// of the same template ([View.Block]).
package web
