// Package webhook tells organizations, by HTTP, what happens to their credentials: created,
// changed, about to expire, revoked, leaked, used from a new address.
//
// An endpoint is an https URL that an organization, or the operators, name. Messages are
// those of Standard Webhooks (https://www.standardwebhooks.com): JSON with type, timestamp
// and data, never a secret, and three headers that prove who sends it. [store.Tx] puts an
// event into the queue in the transaction of the change that it is about, so that there is
// no change without its event and no event without its change.
//
// [Webhooks.Run] delivers. What it guarantees:
//
//   - At least once: an attempt whose outcome was not noted, because the process died, is
//     made again, with the same webhook-id. Several workers on one database never make one
//     attempt at the same time.
//   - Tried again for three days: see [Retries]. A delivery is done when the receiver
//     answers 2xx, whatever else it answers.
//   - One endpoint does not hold up another: each has few attempts under way, and those
//     that fail or are slow wait for each other only.
//   - No request goes to a private address, through a redirect or a proxy (package fetch),
//     and nothing that the receiver writes is kept but the status.
//
// An endpoint that took nothing for five days, or answers 410, is disabled.
package webhook
