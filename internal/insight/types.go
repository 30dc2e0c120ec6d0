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
	Key          string `json:"key,omitzero"`

	// From and To are the period, From rounded down to the hour, To exclusive. Zero: the
	// last 24 hours.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`

	// By says what a row stands for: "key" (which "" is), "route", "hour", "day",
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
	Group  string      `json:"group"`         // "" for a key: callers without one
	Name   string      `json:"name,omitzero"` // of the key
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

// RequestFilter says which requests [Insight.Requests] lists; "" is any.
type RequestFilter struct {
	Organization string `json:"organization,omitzero"`
	Key          string `json:"key,omitzero"`
	Reason       string `json:"reason,omitzero"`
	Outcome      string `json:"outcome,omitzero"` // "allowed" or "denied"
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

	// Contract is the place in the contract that decided; nil when none did.
	Contract *ContractPlace `json:"contract,omitzero"`

	// MissingScopes are the scopes the route needs and the key does not have, when that
	// was the reason.
	MissingScopes []string `json:"missing_scopes,omitzero"`
}

// A ContractPlace is a line of the contract.
type ContractPlace struct {
	Source string `json:"source"`
	Line   int    `json:"line"`
}

// AuditFilter says which events [Insight.AuditEvents] lists; "" is any.
type AuditFilter struct {
	Organization string `json:"organization,omitzero"`
	Target       string `json:"target,omitzero"`
	Actor        string `json:"actor,omitzero"`
	Action       string `json:"action,omitzero"`
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
