package hook

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/fetch"
)

// reply is a service's answer: {"allow": true}, or a refusal with the response the
// caller gets.
type reply struct {
	Allow   *bool             `json:"allow"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
}

// answerHeaders are those a refusal may set: the ones that say why and what next. Not
// among them are names that would let a hook speak for the connection, set cookies or
// open the API to other origins.
var answerHeaders = map[string]bool{
	"Www-Authenticate": true, "Content-Type": true, "Location": true, "Retry-After": true, "Cache-Control": true,
}

// parse reads an answer. It must be complete and without contradiction: a guess would
// open the door, or close it with words that nobody wrote.
func parse(r fetch.Response) (Answer, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Status != http.StatusOK || err != nil || media != "application/json" {
		return Answer{}, fmt.Errorf("%w: status %d, type %q", ErrAnswer, r.Status, media)
	}
	var v reply
	if err := json.Unmarshal(r.Body, &v, json.RejectUnknownMembers(true)); err != nil {
		return Answer{}, fmt.Errorf("%w: not the JSON it must be", ErrAnswer)
	}
	switch {
	case v.Allow == nil:
		return Answer{}, fmt.Errorf("%w: allow is missing", ErrAnswer)
	case *v.Allow && (v.Status != 0 || v.Headers != nil || v.Body != nil):
		return Answer{}, fmt.Errorf("%w: it allows and refuses", ErrAnswer)
	case *v.Allow:
		return Answer{Allow: true}, nil
	}
	return v.refusal()
}

// refusal checks the response a service chose. Without one, the contract words it.
func (v *reply) refusal() (Answer, error) {
	if v.Status == 0 {
		if v.Headers != nil || v.Body != nil {
			return Answer{}, fmt.Errorf("%w: a response without status", ErrAnswer)
		}
		return Answer{}, nil
	}
	out := Answer{Status: v.Status, Header: http.Header{}}
	for name, value := range v.Headers {
		name = http.CanonicalHeaderKey(name)
		if !answerHeaders[name] || !printableASCII(value) || out.Header[name] != nil {
			return Answer{}, fmt.Errorf("%w: a header it may not set", ErrAnswer)
		}
		out.Header[name] = []string{value}
	}
	if v.Body != nil {
		out.Body = []byte(*v.Body)
		if out.Header["Content-Type"] == nil {
			out.Header["Content-Type"] = []string{"text/plain; charset=utf-8"} // nothing a browser runs
		}
	}
	location := out.Header.Get("Location")
	switch {
	case v.Status >= 400 && v.Status <= 499:
		if location != "" {
			return Answer{}, fmt.Errorf("%w: a refusal does not redirect", ErrAnswer)
		}
	case v.Status == http.StatusFound || v.Status == http.StatusSeeOther || v.Status == http.StatusTemporaryRedirect:
		if u, err := url.Parse(location); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return Answer{}, fmt.Errorf("%w: a redirect needs an https URL", ErrAnswer)
		}
	default:
		return Answer{}, fmt.Errorf("%w: a refusal cannot have status %d", ErrAnswer, v.Status)
	}
	return out, nil
}

// printableASCII reports whether a header may have the value.
func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
