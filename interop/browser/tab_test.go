package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// patience is how long a tab waits for what must come.
const patience = 10 * time.Second

// isolated is the world in which tests look at pages: its globals are not the page's, and
// the page's policies do not hold there. watching is that of the listener for violations.
const (
	isolated = "test"
	watching = "watch"
)

// A tab is one person's browser: it shares no cookie with another's. What goes wrong in it
// is a failure of its test.
type tab struct {
	t     testing.TB
	world *world
	ctx   context.Context

	scripted bool // its pages may run scripts

	mu       sync.Mutex
	faults   []string
	allowed  []string                           // parts of faults that a test expects
	busy     map[network.RequestID]cdp.LoaderID // requests under way, by the document they are for
	loading  bool
	loads    int                         // documents that began
	answers  map[string]int64            // :: URL of a document → status
	dialogs  []string                    // that opened, when a test expects them
	dialog   func(kind string) (ok bool) // nil: no dialog is expected
	requests []string                    // METHOD URL, in order
}

// watch reports violations from within the page, as its own scripts could see them.
const watch = `addEventListener("securitypolicyviolation", e => violated(
	e.effectiveDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber + " " + e.sample))`

// newTab opens a tab with cookies of its own.
func newTab(t testing.TB, w *world) *tab {
	t.Helper()
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, world: w, scripted: true, busy: map[network.RequestID]cdp.LoaderID{}, answers: map[string]int64{}}
	ctx, leave := chromedp.NewContext(browser,
		chromedp.WithNewBrowserContext(func(p *target.CreateBrowserContextParams) {
			p.ProxyServer, p.ProxyBypassList = w.proxy.server, "<-loopback>"
		}),
		chromedp.WithListener(b.hear))
	b.ctx = ctx
	t.Cleanup(func() {
		b.verdict()
		leave()
	})
	b.do(chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error { return nil }))
	call(b, audits.Enable, struct{}{})
	call(b, runtime.AddBinding, runtime.AddBindingParams{Name: "violated", ExecutionContextName: watching})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch, WorldName: watching})
	b.size(1280, 900)
	return b
}

// fault notes what must not happen.
func (b *tab) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// hear follows what Chromium tells. It runs in the loop that reads its messages.
func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventFrameStartedLoading:
		b.loading, b.loads = true, b.loads+1
	case *page.EventFrameRequestedNavigation:
		b.loading = true
	case *page.EventFrameStoppedLoading:
		b.loading = false
	case *network.EventRequestWillBeSent:
		if ev.Type != network.ResourceTypeOther { // an icon of the tab is nothing to wait for
			b.busy[ev.RequestID] = ev.LoaderID
		}
		b.requests = append(b.requests, ev.Request.Method+" "+ev.Request.URL)
	case *page.EventFrameNavigated:
		// What the document before was waiting for, nobody is any more.
		maps.DeleteFunc(b.busy, func(_ network.RequestID, of cdp.LoaderID) bool { return of != ev.Frame.LoaderID })
	case *network.EventLoadingFinished:
		delete(b.busy, ev.RequestID)
	case *network.EventLoadingFailed:
		delete(b.busy, ev.RequestID)
		if ev.BlockedReason != "" {
			b.fault("a request was blocked: %s", ev.BlockedReason)
		}
	case *network.EventResponseReceived:
		if ev.Type == network.ResourceTypeDocument {
			b.answers[ev.Response.URL] = ev.Response.Status
		}
		if ev.Response.Status >= 500 || ev.Type != network.ResourceTypeDocument && ev.Response.Status >= 400 {
			b.fault("%d for %s", ev.Response.Status, ev.Response.URL)
		}
	case *page.EventJavascriptDialogOpening:
		b.openDialog(ev)
	default:
		b.hearTrouble(ev)
	}
}

// hearTrouble notes what Chromium tells of faults of the page.
func (b *tab) hearTrouble(ev any) {
	switch ev := ev.(type) {
	case *audits.EventIssueAdded:
		b.fault("issue %s: %s", ev.Issue.Code, compact(ev.Issue.Details))
	case *runtime.EventBindingCalled:
		b.fault("policy violated: %s", ev.Payload)
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			text += " " + ev.ExceptionDetails.Exception.Description
		}
		b.fault("exception: %s", text)
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			b.fault("console.%s: %s", ev.Type, compact(ev.Args))
		}
	case *log.EventEntryAdded:
		// What a document or a request answers is judged by its status.
		if ev.Entry.Source != log.EntrySourceNetwork && (ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning) {
			b.fault("log of %s: %s", ev.Entry.Source, ev.Entry.Text)
		}
	}
}

// openDialog answers a dialog: as the test wants it, or by closing what must not be there.
func (b *tab) openDialog(ev *page.EventJavascriptDialogOpening) {
	accept := true
	if b.dialog == nil {
		b.fault("a dialog (%s) says %q", ev.Type, ev.Message)
	} else {
		b.dialogs = append(b.dialogs, string(ev.Type))
		accept = b.dialog(string(ev.Type))
	}
	go chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: accept}) // the page is gone, or it goes on
}

// compact renders a value of the protocol on one line.
func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// allow says what a test expects to go wrong: a part of the fault's text.
func (b *tab) allow(parts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, parts...)
}

// unexpected returns the faults so far, and forgets them.
func (b *tab) unexpected() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var rest []string
next:
	for _, f := range b.faults {
		for _, part := range b.allowed {
			if strings.Contains(f, part) {
				continue next
			}
		}
		rest = append(rest, f)
	}
	b.faults = nil
	return rest
}

// verdict fails the test for what went wrong in the tab.
func (b *tab) verdict() {
	b.t.Helper()
	for _, f := range b.unexpected() {
		b.t.Errorf("%s: %s", b.world.name, f)
	}
}

// call sends a command of the protocol.
func call[P, R any](b *tab, c command[P, R], params P) R {
	b.t.Helper()
	r, err := try(b, c, params)
	if err != nil {
		b.fatal("%v", err)
	}
	return r
}

// try is call for a command that may fail.
func try[P, R any](b *tab, c command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Call(ctx, c, params)
}

// do runs actions.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.fatal("%v", err)
	}
}

// fatal ends the test and tells where the tab was.
func (b *tab) fatal(format string, args ...any) {
	b.t.Helper()
	at, _ := evaluate[string](b, `location.href + "\n" + document.body?.innerText.slice(0, 3000)`)
	b.t.Fatalf("%s\n%s: at %s", fmt.Sprintf(format, args...), b.world.name, at)
}

// visit opens a page of the world and returns its status.
func (b *tab) visit(path string) int64 {
	b.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = b.world.url(path)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	resp, err := chromedp.RunResponse(ctx, chromedp.Navigate(address))
	if err != nil {
		b.fatal("%s: %v", address, err)
	}
	b.settle()
	if resp == nil {
		return 0
	}
	return resp.Status
}

// settle waits until nothing is loading, neither a document nor a part of one.
func (b *tab) settle() {
	b.t.Helper()
	quiet := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		b.mu.Lock()
		idle := !b.loading && len(b.busy) == 0
		b.mu.Unlock()
		if !idle {
			quiet = 0
		} else if quiet++; quiet > 4 {
			if state, err := evaluate[string](b, "document.readyState"); err == nil && state == "complete" {
				return
			}
			quiet = 0
		}
	}
	b.mu.Lock()
	state := fmt.Sprintf("loading %v, %d requests", b.loading, len(b.busy))
	b.mu.Unlock()
	b.fatal("the page does not come to rest: %s", state)
}

// eval evaluates an expression in the page's isolated world.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := evaluate[T](b, expression)
	if err != nil {
		b.fatal("%.200s: %v", expression, err)
	}
	return v
}

// evaluate is eval for what may fail.
func evaluate[T any](b *tab, expression string) (T, error) {
	var v T
	yes := true
	id, err := b.isolatedWorld()
	if err != nil {
		return v, err
	}
	r, err := try(b, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: id, ReturnByValue: &yes, AwaitPromise: &yes,
	})
	if err != nil {
		return v, err
	}
	return result[T](r.Result, r.ExceptionDetails)
}

// result reads the value of an evaluation.
func result[T any](o *runtime.RemoteObject, exception *runtime.ExceptionDetails) (v T, err error) {
	if exception != nil {
		text := exception.Text
		if exception.Exception != nil {
			text += " " + exception.Exception.Description
		}
		return v, fmt.Errorf("%s", text)
	}
	if o == nil || len(o.Value) == 0 {
		return v, nil
	}
	return v, json.Unmarshal(o.Value, &v)
}

// isolatedWorld returns the tests' own world in the page that is shown now.
func (b *tab) isolatedWorld() (runtime.ExecutionContextID, error) {
	tree, err := try(b, page.GetFrameTree, struct{}{})
	if err != nil {
		return 0, err
	}
	w, err := try(b, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: isolated})
	return w.ExecutionContextID, err
}

// size sets the size of the window.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// scheme sets what the person prefers: "light" or "dark".
func (b *tab) scheme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// scriptsOff switches the page's JavaScript off. The tests' own expressions still run.
func (b *tab) scriptsOff() {
	b.t.Helper()
	b.scripted = false
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// path returns the path and query of the page that is shown.
func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, "location.pathname + location.search")
}

// text returns what a person can read in the page's main part.
func (b *tab) text() string {
	b.t.Helper()
	return eval[string](b, `(document.querySelector("main") ?? document.body).innerText`)
}

// sees fails unless the page comes to say each of the texts.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		var all string
		b.await(fmt.Sprintf("the page does not say %q", text), func() bool {
			all, _ = evaluate[string](b, "document.body.innerText")
			return strings.Contains(flat(all), flat(text))
		})
	}
}

// lacks fails when the page says one of the texts.
func (b *tab) lacks(texts ...string) {
	b.t.Helper()
	all := flat(eval[string](b, "document.body.innerText"))
	for _, text := range texts {
		if strings.Contains(all, flat(text)) {
			b.t.Errorf("%s at %s says %q", b.world.name, b.path(), text)
		}
	}
}

// flat makes one blank of every stretch of blanks, and forgets capitals, which style
// sheets may change.
func flat(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// await waits until something holds, and fails with a text if it does not come to.
func (b *tab) await(failure string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.fatal("%s", failure)
		}
	}
}

// grant lets the world's pages read and write what is copied.
func (b *tab) grant() {
	b.t.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(b.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
			Origin: b.world.url(""), BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
		})
		if err != nil {
			b.fatal("%v", err)
		}
	}
}
