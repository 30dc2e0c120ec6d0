package insight

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
)

// UsageQuery says what [Insight.Usage] counts.
type UsageQuery struct {
	Organization string `json:"organization,omitzero"`
	Environment  string `json:"environment,omitzero"`
	Key          string `json:"key,omitzero"` // the id of a credential of any sort

	// From and To are the period, From rounded down to the hour, To exclusive. Zero: the
	// last 24 hours.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`

	// By says what a row stands for: "key" (which "" is: a credential of any sort),
	// "client" (credentials of OAuth clients alone), "organization", "route", "hour", "day",
	// "status", "reason" or "environment".
	By string `json:"by,omitzero"`
}

// Usage is the answer to a [UsageQuery]. Rows are ordered by time, or by requests,
// most first.
type Usage struct {
	From  time.Time   `json:"from"`
	To    time.Time   `json:"to"`
	By    string      `json:"by"`
	Total UsageCounts `json:"total"`
	Rows  []UsageRow  `json:"rows"`

	// Truncated says that there are more rows. Total counts them all.
	Truncated bool `json:"truncated,omitzero"`
}

// A UsageRow is the count of one key, route, hour, day, status class, reason or
// environment.
type UsageRow struct {
	Group  string      `json:"group"`         // "" for a key: callers without one; for a route: none matched
	Name   string      `json:"name,omitzero"` // for people, where Group is none: of the key, of ""
	Counts UsageCounts `json:"counts"`
}

// UsageCounts are sums over hours.
type UsageCounts struct {
	Requests         int64 `json:"requests"`
	Denied           int64 `json:"denied"`  // refused by Cardea, limits included
	Limited          int64 `json:"limited"` // refused by a limit
	BytesOut         int64 `json:"bytes_out"`
	AverageLatencyUS int64 `json:"average_latency_us,omitzero"`

	// Denials are the refusals by reason, in the total only.
	Denials map[string]int64 `json:"denials,omitzero"` // :: reason → refusals
}

// RequestFilter says which requests [Insight.Requests] lists and [Insight.Groups] groups;
// zero members are any.
type RequestFilter struct {
	Organization string `json:"organization,omitzero"`
	Environment  string `json:"environment,omitzero"`
	Key          string `json:"key,omitzero"` // the id of a credential of any sort
	Reason       string `json:"reason,omitzero"`

	// Outcome is "allowed", "denied" (refused by Cardea), "error" (every answer of 400 and
	// above, whoever gave it) or "old_secret" (sent with a secret that a rotation replaced).
	Outcome string `json:"outcome,omitzero"`

	Method  string `json:"method,omitzero"`  // "GET"
	Status  string `json:"status,omitzero"`  // "403", or a class: "4xx"
	Route   string `json:"route,omitzero"`   // a pattern of the contract; "-": what matched none
	Address string `json:"address,omitzero"` // the client's IP address

	// Search is the id of a request, or what its path begins with when it begins with "/".
	Search string `json:"search,omitzero"`

	// From and To are the period, To exclusive. Zero: as far as the log goes, for a list;
	// the last 24 hours, for groups.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`

	access.Page
}

// A Request is a line of the request log.
type Request struct {
	ID           string    `json:"id"`
	At           time.Time `json:"at"`
	Key          string    `json:"key,omitzero"`
	Organization string    `json:"organization,omitzero"`
	Environment  string    `json:"environment,omitzero"`
	Method       string    `json:"method"`
	Host         string    `json:"host,omitzero"`
	Path         string    `json:"path"` // without the query
	Route        string    `json:"route,omitzero"`
	Status       int       `json:"status"`
	Reason       string    `json:"reason"`
	Step         string    `json:"step,omitzero"`
	Client       string    `json:"client,omitzero"`
	LatencyUS    int64     `json:"latency_us,omitzero"`
	BytesOut     int64     `json:"bytes_out,omitzero"`
	OldSecret    bool      `json:"old_secret,omitzero"`
}

// An Explanation says why a request was answered as it was.
type Explanation struct {
	Request Request `json:"request"`

	// Explanation is what happened; Fix what would let the request through, "" when it
	// was let through.
	Explanation string `json:"explanation"`
	Fix         string `json:"fix,omitzero"`

	// Detail is what the decision found at the time, "" when it noted nothing: names and
	// figures that may have changed since.
	Detail string `json:"detail,omitzero"`

	// Key and Organization are the caller as they are now; nil when there was none.
	Key          *manage.Key          `json:"key,omitzero"`
	Organization *manage.Organization `json:"organization,omitzero"`

	// Steps are the steps of the decision in their order, up to the one that decided.
	Steps []Step `json:"steps,omitzero"`

	// Contract is the place in the contract that decided; nil when none did.
	Contract *ContractPlace `json:"contract,omitzero"`

	// MissingScopes are the scopes the route needs and the key does not have, when that
	// was the reason.
	MissingScopes []string `json:"missing_scopes,omitzero"`
}

// A Step is one step of the decision about a request.
type Step struct {
	Name   string `json:"name"`   // of the step: "scope"
	Text   string `json:"text"`   // what it asks
	Passed bool   `json:"passed"` // false: it is the one that refused
}

// A ContractPlace is a line of the contract.
type ContractPlace struct {
	Source string `json:"source"`
	Line   int    `json:"line"`

	// Text is what the line says in the contract in force, for operators and observers:
	// it may name an upstream.
	Text string `json:"text,omitzero"`
}

// AuditFilter says which events [Insight.AuditEvents] lists; zero members are any.
type AuditFilter struct {
	Organization string `json:"organization,omitzero"`
	Target       string `json:"target,omitzero"`
	Actor        string `json:"actor,omitzero"`

	// Action is an action, such as "key.revoke", or with a dot at its end all that begin
	// so: "key.".
	Action string `json:"action,omitzero"`

	Address string `json:"address,omitzero"` // the actor's IP address

	// From and To are the period, To exclusive.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`

	access.Page
}

// An AuditEvent is one change: who, what, when.
type AuditEvent struct {
	Seq          int64       `json:"seq"`
	At           time.Time   `json:"at"`
	Actor        AuditActor  `json:"actor"`
	Action       string      `json:"action"`
	Target       AuditTarget `json:"target"`
	Organization string      `json:"organization,omitzero"`
	RequestID    string      `json:"request_id,omitzero"`

	// Detail is a JSON object; for changes its members "before" and "after" hold what
	// differs.
	Detail jsontext.Value `json:"detail,omitzero"`
}

// An AuditActor is who made a change.
type AuditActor struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Address string `json:"address,omitzero"`
}

// An AuditTarget is what was changed.
type AuditTarget struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// A Checkpoint is the state of the audit log at one moment. Kept somewhere else, it
// proves later that nothing before it was changed. It is zero while the log is empty.
type Checkpoint struct {
	Size     int64     `json:"size"` // number of events
	SignedAt time.Time `json:"signed_at,omitzero"`
	Note     string    `json:"note"` // origin, size, root hash, signature (C2SP tlog-checkpoint)
}

// VerifyAudit is the input of [Insight.VerifyAudit].
type VerifyAudit struct {
	// Checkpoint is the note of an earlier [Checkpoint]; "" checks the log by itself.
	Checkpoint string `json:"checkpoint,omitzero"`
}

// AuditVerification is the result of [Insight.VerifyAudit].
type AuditVerification struct {
	OK   bool   `json:"ok"`
	Size int64  `json:"size"`
	Root string `json:"root,omitzero"`

	// ExtendsCheckpoint says that the log provably extends the checkpoint that was given.
	ExtendsCheckpoint bool `json:"extends_checkpoint,omitzero"`

	// Fault says what is wrong; "" when OK.
	Fault string `json:"fault,omitzero"`
}
