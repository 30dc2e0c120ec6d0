// Package authz decides: may this request go on, on whose behalf, and if not, why.
//
// [Authorizer.Authorize] is the one decision behind every door. It runs ten steps in
// a fixed order (pipeline.go); each step is a function that gives a reason to refuse,
// or none. Only the last step charges anything.
//
// # What is remembered
//
// The credential's record is cached, never a decision: address, scope, clock and
// limits are judged anew for each request. An entry has no time to live. It is
// trusted until it is changed, and [Authorizer.Apply] removes it before the call that
// changed it returns: commit, evict, answer. Three guards keep a slow reader from
// bringing back what was removed:
//
//   - a record read at an older sequence number than the last applied change is used
//     for the request that asked for it and not kept;
//   - a request never takes over a look-up that began before the request did and read
//     an older state than the request may see;
//   - organizations carry a generation, so that one store makes all of their entries
//     stale at once.
//
// # When something is wrong
//
// Every path that cannot decide refuses. Without the database, entries in the cache
// go on to work (on one node nothing can have changed them) and everything else is
// answered 503.
package authz
