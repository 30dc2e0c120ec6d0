package condition

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/interpreter"
)

// Qualified names such as request.path are variables of their own, so that an
// evaluation builds only what the expression reads.

// variables declares what expressions may name.
func variables() []*decls.VariableDecl {
	out := make([]*decls.VariableDecl, 0, len(declared))
	for _, v := range declared {
		out = append(out, decls.NewVariable(v.name, v.kind))
	}
	return out
}

// declared lists the variables and how each is read from the input.
var declared = []struct {
	name string
	kind *cel.Type
	read func(*Input) any
}{
	{"request.method", cel.StringType, func(in *Input) any { return in.Method }},
	{"request.path", cel.StringType, func(in *Input) any { return in.Path }},
	{"request.host", cel.StringType, func(in *Input) any { return in.Host }},
	{"request.query", cel.MapType(cel.StringType, cel.ListType(cel.StringType)), func(in *Input) any {
		if in.Query == nil {
			return map[string][]string{}
		}
		return in.Query
	}},
	{"request.headers", cel.MapType(cel.StringType, cel.StringType), func(in *Input) any {
		if in.Header == nil {
			return map[string]string{}
		}
		return in.Header
	}},
	{"request.address", cel.StringType, func(in *Input) any { return in.Address }},
	{"request.environment", cel.StringType, func(in *Input) any { return in.Environment }},
	{"credential.subject", cel.StringType, func(in *Input) any { return in.Credential.Subject }},
	{"credential.organization", cel.StringType, func(in *Input) any { return in.Credential.Organization }},
	{"credential.kind", cel.StringType, func(in *Input) any { return in.Credential.Kind }},
	{"credential.plan", cel.StringType, func(in *Input) any { return in.Credential.Plan }},
	{"credential.scopes", cel.ListType(cel.StringType), func(in *Input) any { return in.Credential.Scopes }},
	{"now", cel.TimestampType, func(in *Input) any { return in.Time }},
}

// Names returns the variables an expression may use.
func Names() []string {
	names := make([]string, len(declared))
	for i, v := range declared {
		names[i] = v.name
	}
	return names
}

// An activation lets an evaluation read the input by name.
type activation Input

// ResolveName returns the value of a variable.
func (a *activation) ResolveName(name string) (any, bool) {
	for i := range declared {
		if declared[i].name == name {
			return declared[i].read((*Input)(a)), true
		}
	}
	return nil, false
}

// Parent returns nil: there is nothing else to see.
func (a *activation) Parent() interpreter.Activation { return nil }
