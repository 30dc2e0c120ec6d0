package contract

import (
	"go.yaml.in/yaml/v4"

	"github.com/cardea-dev/cardea"
)

// Parts of the document whose fields are a list kept elsewhere: reasons, facts.

// errorsDoc is the errors section: a default body and one entry for each reason.
type errorsDoc struct {
	pos
	body    raw
	reasons []entry[errorDoc]
}

// errorDoc: how one reason is worded. What is left out comes from the reason it falls
// back to.
type errorDoc struct {
	spot
	Status  number                `yaml:"status" doc:"The HTTP status, 400 to 599."`
	Code    text                  `yaml:"code" doc:"The machine-readable code."`
	Message prose                 `yaml:"message" doc:"The text; $retry_after and $request_id are filled in."`
	Body    raw                   `yaml:"body" doc:"The whole JSON body, when it differs from errors.body."`
	Kinds   mapping[errorKindDoc] `yaml:"kinds" doc:"What differs for a kind of credential: a key of keys, client, service_account, access_token or trusted_issuer."`
}

// errorKindDoc: what differs for one kind of credential.
type errorKindDoc struct {
	spot
	Status  number `yaml:"status" doc:"The HTTP status, 400 to 599."`
	Code    text   `yaml:"code" doc:"The machine-readable code."`
	Message prose  `yaml:"message" doc:"The text; $retry_after and $request_id are filled in."`
	Body    raw    `yaml:"body" doc:"The whole JSON body, when it differs from errors.body."`
}

// common returns what an entry says for every kind.
func (e errorDoc) common() errorKindDoc {
	return errorKindDoc{e.spot, e.Status, e.Code, e.Message, e.Body}
}

// given reports whether the entry says anything.
func (e errorKindDoc) given() bool {
	return e.Status.given || e.Code.given || e.Message.given || e.Body.given()
}

// reasonNames returns the reasons a contract may word.
func reasonNames() []string {
	var names []string
	for _, r := range cardea.Reasons() {
		if r != cardea.ReasonAllowed {
			names = append(names, r.String())
		}
	}
	return names
}

// decode reads reasons by their names in [cardea.Reason].
func (e *errorsDoc) decode(d *decoder, n *yaml.Node) {
	e.pos = nodePos(n)
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "a mapping of reasons")
		return
	}
	known := append([]string{"body"}, reasonNames()...)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !plainKey(key) {
			continue // the inspector has reported it
		}
		reason, ok := cardea.ParseReason(key.Value)
		switch {
		case key.Value == "body":
			e.body.decode(d, value)
		case !ok || reason == cardea.ReasonAllowed:
			d.r.Errorf(nodePos(key), "unknown reason %s", quote(key.Value)).DidYouMean(key.Value, known)
		default:
			entry := entry[errorDoc]{key: newText(nodePos(key), key.Value)}
			d.into(value, &entry.value)
			e.reasons = append(e.reasons, entry)
		}
	}
}

// forwardingDoc is the forwarding section: a header for each fact.
type forwardingDoc struct {
	pos
	headers []entry[text]
	given   bool
}

// decode reads a header name for each fact.
func (f *forwardingDoc) decode(d *decoder, n *yaml.Node) {
	f.pos, f.given = nodePos(n), true
	f.headers = decodeFacts(d, n, forwardFacts)
}

// claimsDoc maps the names of claims to facts.
type claimsDoc struct{ mapping[text] }

// decodeFacts reads a mapping from facts to names.
func decodeFacts(d *decoder, n *yaml.Node, known []Fact) []entry[text] {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = string(f)
	}
	var m mapping[text]
	m.decode(d, n)
	kept := m.entries[:0]
	for _, e := range m.entries {
		if _, ok := find(names, e.key.value); !ok {
			d.r.Errorf(e.key.pos, "unknown fact %s", quote(e.key.value)).DidYouMean(e.key.value, names)
			continue
		}
		kept = append(kept, e)
	}
	return kept
}

// decode reads a format: the name of a shape, or a mapping with a prefix.
func (f *formatDoc) decode(d *decoder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		f.pos = nodePos(n)
		f.shape.decode(d, n)
		return
	}
	d.fields(n, f)
}

// decode reads a scope: its description alone, or a mapping.
func (s *scopeDoc) decode(d *decoder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		s.pos = nodePos(n)
		s.Description.decode(d, n)
		return
	}
	d.fields(n, s)
}

// find returns the index of name in names.
func find(names []string, name string) (int, bool) {
	for i, n := range names {
		if n == name {
			return i, true
		}
	}
	return 0, false
}
