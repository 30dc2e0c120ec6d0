package admin

import "time"

// RequestGroups are alike requests counted together: the answer of
// [Client.GroupRequests]. Errors come first, and of those the most frequent.
type RequestGroups struct {
	From  time.Time      `json:"from"`
	To    time.Time      `json:"to"`
	Items []RequestGroup `json:"items"`

	// Truncated says that not every request of the period was looked at, but the newest
	// ones, down to Since.
	Truncated bool      `json:"truncated,omitzero"`
	Since     time.Time `json:"since"`
}

// A RequestGroup is requests with the same answer to the same question: "401 expired ×212
// on GET /v1/things".
type RequestGroup struct {
	Status int       `json:"status"`
	Reason string    `json:"reason"`
	Method string    `json:"method"`
	Route  string    `json:"route,omitzero"` // the contract's pattern, "" when none matched
	Count  int64     `json:"count"`
	Keys   int64     `json:"keys"` // how many credentials; 0: no caller was known
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Sample string    `json:"sample"`       // the id of the newest of them
	Fix    string    `json:"fix,omitzero"` // what would let such requests through
}

// A UsageSeries is usage over time, for charts: the answer of [Client.GetUsageSeries].
type UsageSeries struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Step string    `json:"step"` // "hour" or "day"

	// At are the starts of the steps, oldest first and without a gap; every line has as
	// many values.
	At    []time.Time `json:"at"`
	Lines []UsageLine `json:"lines"`
}

// A UsageLine is one line of a chart.
type UsageLine struct {
	Group    string  `json:"group"`         // see [UsageRow]; "" also for all of it
	Name     string  `json:"name,omitzero"` // for people, where Group is none
	Requests []int64 `json:"requests"`
	Denied   []int64 `json:"denied"`
}

// A LimitsQuery says whose limits [Client.GetLimits] tells.
type LimitsQuery struct {
	Organization string `json:"organization,omitzero"` // "" where the actor or the key says it
	Environment  string `json:"environment,omitzero"`  // "": each of them
	Key          string `json:"key,omitzero"`          // the id of a credential of any sort
}

// LimitsNow are what is left of limits at one moment: the answer of [Client.GetLimits].
type LimitsNow struct {
	At time.Time `json:"at"`

	// Per is whose requests are counted together: "organization" or "credential".
	Per string `json:"per"`

	Owners []LimitOwner `json:"owners"`

	// Refusals are the newest requests that a limit refused, at most 20.
	Refusals []Request `json:"refusals"`
}

// A LimitOwner is an organization in an environment, or a credential, with its limits.
type LimitOwner struct {
	Organization string `json:"organization"`
	Environment  string `json:"environment"`
	Key          string `json:"key,omitzero"`  // "" for an organization
	Name         string `json:"name,omitzero"` // of the key

	Plan      string `json:"plan,omitzero"`       // the organization's
	PlanLabel string `json:"plan_label,omitzero"` // of that plan

	// Own says that the figures were given to this owner and are not the plan's.
	Own bool `json:"own"`

	// Gauges are the owner's limits; none: nothing limits it.
	Gauges []Gauge `json:"gauges"`
}

// A Gauge is one limit and what is left of it.
type Gauge struct {
	Window    string    `json:"window"` // "minute", "burst" or "day"
	Limit     int64     `json:"limit"`
	Used      int64     `json:"used"`
	Remaining int64     `json:"remaining"`
	ResetAt   time.Time `json:"reset_at"` // when all of it is there again
}

// An Impact is what a changed contract would do to the credentials there are: the answer
// of [Client.GetContractImpact].
type Impact struct {
	// Valid says that the text is a contract; Problems are what is wrong with it, and its
	// warnings.
	Valid    bool              `json:"valid"`
	Problems []ContractProblem `json:"problems"`

	Hash    string `json:"hash,omitzero"` // of the text
	Current string `json:"current"`       // of the contract in force

	// Breaks says that one of the changes is of severity "breaks".
	Breaks bool `json:"breaks"`

	// Changes are the differences that matter, the worst first.
	Changes []ContractChange `json:"changes"`
}

// A ContractChange is one difference between two contracts and whom it concerns.
type ContractChange struct {
	Severity string `json:"severity"`      // "breaks", "warns" or "informs"
	Effect   string `json:"effect"`        // what happens, in a sentence
	What     string `json:"what"`          // "scope", "kind", "plan", "route", …
	Where    string `json:"where"`         // its name
	Line     int    `json:"line,omitzero"` // in the new contract, 0 when it is not there

	// Credentials and Organizations say how many it concerns; -1: not counted.
	Credentials   int `json:"credentials"`
	Organizations int `json:"organizations"`

	// Examples are names of some that it concerns.
	Examples []string `json:"examples,omitzero"`
}

// A ContractProblem is one thing wrong with a contract, and where.
type ContractProblem struct {
	Severity string `json:"severity"` // "error" or "warning"
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Text     string `json:"text"`
	Hint     string `json:"hint,omitzero"` // how to mend it
}

// ServerStatus is how Cardea is: the answer of [Client.GetStatus].
type ServerStatus struct {
	At        time.Time      `json:"at"`
	Version   string         `json:"version,omitzero"`
	StartedAt time.Time      `json:"started_at,omitzero"`
	Contract  ContractStatus `json:"contract"`
	Store     StoreStatus    `json:"store"`
	Queues    QueueStatus    `json:"queues"`

	// SigningKeys are the keys that sign tokens, Issuers those that the contract trusts,
	// with the state of their key sets.
	SigningKeys []SigningKey    `json:"signing_keys,omitzero"`
	Issuers     []TrustedIssuer `json:"issuers,omitzero"`
}

// ContractStatus says which contract is in force and how the last reload went.
type ContractStatus struct {
	Source     string    `json:"source"`
	Hash       string    `json:"hash"`
	LoadedAt   time.Time `json:"loaded_at,omitzero"`
	LastReload time.Time `json:"last_reload,omitzero"` // the last attempt

	// Problems are why the last reload did not take and an older contract is in force.
	Problems []ContractProblem `json:"problems,omitzero"`

	// Warnings are what somebody should look at in the contract in force.
	Warnings []ContractProblem `json:"warnings,omitzero"`
}

// StoreStatus says how the database is.
type StoreStatus struct {
	Engine    string `json:"engine"` // "sqlite" or "postgres"
	Reachable bool   `json:"reachable"`
	LatencyUS int64  `json:"latency_us"` // of the smallest query
	Bytes     int64  `json:"bytes,omitzero"`

	// RequestLogDays and RequestLogBytes are what the request log holds.
	RequestLogDays  int   `json:"request_log_days"`
	RequestLogBytes int64 `json:"request_log_bytes"`
}

// QueueStatus says what waits to be written, and what was lost. Counts are from the
// start of the program.
type QueueStatus struct {
	Buffered int    `json:"buffered"` // requests whose records wait
	Written  uint64 `json:"written"`  // rows of the request log
	Dropped  uint64 `json:"dropped"`  // requests counted, but without a row
	Failures uint64 `json:"failures"` // attempts to write that the store refused
}
