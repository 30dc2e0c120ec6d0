package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

type command[P, R any] = cdp.Command[P, R]

// An element is a part of a page as a screen reader knows it.
type element struct {
	tab    *tab
	object runtime.RemoteObjectID
	what   string // for failures
}

// look returns the elements of a role and name that are there now. "" is every role or
// name; root nil is the whole page.
func (b *tab) look(root *element, role, name string) []element {
	var at runtime.RemoteObjectID
	if root != nil {
		at = root.object
	} else {
		id, err := b.isolatedWorld()
		if err != nil {
			return nil
		}
		r, err := try(b, runtime.Evaluate, runtime.EvaluateParams{Expression: "document", ContextID: id})
		if err != nil || r.Result == nil {
			return nil
		}
		at = r.Result.ObjectID
	}
	tree, err := try(b, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: at, Role: role, AccessibleName: name})
	if err != nil {
		return nil // the page is being replaced
	}
	id, err := b.isolatedWorld()
	if err != nil {
		return nil
	}
	var found []element
	for _, n := range tree.Nodes {
		if n.Ignored || n.BackendDOMNodeID == 0 {
			continue
		}
		r, err := try(b, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: n.BackendDOMNodeID, ExecutionContextID: id})
		if err == nil && r.Object != nil {
			found = append(found, element{b, r.Object.ObjectID, role + " " + fmt.Sprintf("%q", name)})
		}
	}
	return found
}

// has reports whether there is an element of a role and name now.
func (b *tab) has(role, name string) bool { return len(b.look(nil, role, name)) > 0 }

// find waits for the element of a role and name, the first when there are several.
func (b *tab) find(role, name string) element { b.t.Helper(); return b.findIn(nil, role, name) }

func (b *tab) findIn(root *element, role, name string) element {
	b.t.Helper()
	for deadline := time.Now().Add(patience / 2); ; time.Sleep(20 * time.Millisecond) {
		if found := b.look(root, role, name); len(found) > 0 {
			return found[0]
		}
		if time.Now().After(deadline) {
			b.fatal("there is no %s %q; there are %s", role, name, strings.Join(b.names(role), ", "))
		}
	}
}

// names tells what elements of a role there are, for failures.
func (b *tab) names(role string) []string {
	id, err := b.isolatedWorld()
	if err != nil {
		return nil
	}
	r, err := try(b, runtime.Evaluate, runtime.EvaluateParams{Expression: "document", ContextID: id})
	if err != nil || r.Result == nil {
		return nil
	}
	tree, err := try(b, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: r.Result.ObjectID, Role: role})
	if err != nil {
		return nil
	}
	var names []string
	for _, n := range tree.Nodes {
		if !n.Ignored && n.Name != nil {
			names = append(names, string(n.Name.Value))
		}
	}
	return names
}

// within returns the smallest row, item or section that says a text.
func (b *tab) within(text string) element {
	b.t.Helper()
	quoted, _ := json.Marshal(text) // a string always can be
	expression := fmt.Sprintf(`[...document.querySelectorAll("tr, li, article, section, fieldset, dialog[open], .panel, form")]
		.filter(e => e.checkVisibility() && e.innerText.includes(%s)).sort((a, b) => a.innerText.length - b.innerText.length)[0] ?? null`, quoted)
	for deadline := time.Now().Add(patience / 2); ; time.Sleep(20 * time.Millisecond) {
		if id, err := b.isolatedWorld(); err == nil {
			r, err := try(b, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ContextID: id})
			if err == nil && r.Result != nil && r.Result.ObjectID != "" {
				return element{b, r.Result.ObjectID, "the part that says " + string(quoted)}
			}
		}
		if time.Now().After(deadline) {
			b.fatal("no part of the page says %s", quoted)
		}
	}
}

// find waits for an element inside another.
func (e element) find(role, name string) element {
	e.tab.t.Helper()
	return e.tab.findIn(&e, role, name)
}

// on calls a function with the element as this.
func on[T any](e element, function string, args ...any) T {
	e.tab.t.Helper()
	yes := true
	var arguments []*runtime.CallArgument
	for _, a := range args {
		text, err := json.Marshal(a)
		if err != nil {
			e.tab.t.Fatal(err)
		}
		arguments = append(arguments, &runtime.CallArgument{Value: text})
	}
	r := call(e.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: e.object, Arguments: arguments, ReturnByValue: &yes, AwaitPromise: &yes, UserGesture: &yes,
	})
	v, err := result[T](r.Result, r.ExceptionDetails)
	if err != nil {
		e.tab.fatal("%s: %v", e.what, err)
	}
	return v
}

// place brings an element into view and returns the middle of it, or what lies above it.
const place = `function() {
	this.scrollIntoView({block: "center", inline: "center", behavior: "instant"})
	const r = this.getClientRects()[0]
	if (!r) return {hidden: true}
	const x = r.left + r.width / 2, y = r.top + r.height / 2
	const top = document.elementFromPoint(x, y)
	const mine = top && (this.contains(top) || top.contains(this) && top.matches("label, a, summary, button") ||
		[...(this.labels ?? [])].some(l => l.contains(top)))
	return {x, y, above: mine ? "" : (top?.outerHTML ?? "nothing").slice(0, 120)}
}`

// click presses the mouse where the element is drawn and waits for what follows.
func (e element) click() {
	e.tab.t.Helper()
	e.press()
	e.tab.settle()
}

// press presses the mouse and waits for nothing.
func (e element) press() {
	e.tab.t.Helper()
	at := on[struct {
		X, Y   float64
		Above  string
		Hidden bool
	}](e, place)
	if at.Hidden || at.Above != "" {
		e.tab.fatal("%s cannot be clicked: hidden %v, below %q", e.what, at.Hidden, at.Above)
	}
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		p := input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y, Button: input.MouseButtonLeft, ClickCount: 1}
		if kind == input.DispatchMouseEventTypeMouseMoved {
			p.Button, p.ClickCount = input.MouseButtonNone, 0
		}
		call(e.tab, input.DispatchMouseEvent, p)
	}
}

// click finds an element and clicks it.
func (b *tab) click(role, name string) { b.t.Helper(); b.find(role, name).click() }

// field waits for the form field of a label.
func (b *tab) field(label string) element {
	b.t.Helper()
	var e element
	b.await(fmt.Sprintf("there is no field %q", label), func() bool {
		for _, e = range append(b.look(nil, "", label), b.look(nil, "", label+" optional")...) {
			if on[bool](e, `function() { return this.nodeType == 1 && this.matches("input, textarea, select") }`) {
				return true
			}
		}
		return false
	})
	return e
}

// fill types into the field of a label, replacing what it says.
func (b *tab) fill(label, text string) { b.t.Helper(); b.field(label).fill(text) }

func (e element) fill(text string) {
	e.tab.t.Helper()
	// What has a picker instead of a text, such as a date, is set as its picker does.
	typed := on[bool](e, `function(text) {
		this.scrollIntoView({block: "center", behavior: "instant"})
		this.focus()
		if (document.activeElement !== this) throw new Error("the field takes no focus")
		const picked = this.matches("select, [type=date], [type=datetime-local], [type=time], [type=color], [type=range]")
		if (!picked) { this.select?.(); return true }
		if (this.localName == "select") {
			const option = [...this.options].find(o => o.text.trim() == text || o.value == text)
			if (!option) throw new Error("no option " + text + " among " + [...this.options].map(o => o.text.trim()).join(", "))
			this.value = option.value
		} else this.value = text
		this.dispatchEvent(new Event("input", {bubbles: true}))
		this.dispatchEvent(new Event("change", {bubbles: true}))
		return false
	}`, text)
	if !typed {
		return
	}
	if text == "" {
		e.tab.do(chromedp.KeyEvent("\b"))
		return
	}
	call(e.tab, input.InsertText, input.InsertTextParams{Text: text})
}

// value returns what a field says now.
func (e element) value() string {
	e.tab.t.Helper()
	return on[string](e, `function() { return this.value }`)
}

// text returns what a person reads in an element.
func (e element) text() string {
	e.tab.t.Helper()
	return on[string](e, `function() { return this.innerText }`)
}

// checked reports whether a box is ticked.
func (e element) checked() bool {
	e.tab.t.Helper()
	return on[bool](e, `function() { return this.checked }`)
}

// check ticks the box of a label.
func (b *tab) check(label string) {
	b.t.Helper()
	if e := b.field(label); !e.checked() {
		e.click()
	}
}

// uncheck unticks the box of a label.
func (b *tab) uncheck(label string) {
	b.t.Helper()
	if e := b.field(label); e.checked() {
		e.click()
	}
}

// disclose opens what a summary says.
func (b *tab) disclose(summary string) {
	b.t.Helper()
	quoted, _ := json.Marshal(summary) // a string always can be
	b.await("there is no summary "+summary, func() bool {
		found, err := evaluate[bool](b, fmt.Sprintf(`[...document.querySelectorAll("summary")].some(s => s.checkVisibility() && s.innerText.trim() == %s)`, quoted))
		return err == nil && found
	})
	b.element(fmt.Sprintf(`[...document.querySelectorAll("summary")].find(s => s.checkVisibility() && s.innerText.trim() == %s)`, quoted), "summary "+summary).click()
}

// element returns what an expression finds.
func (b *tab) element(expression, what string) element {
	b.t.Helper()
	id, err := b.isolatedWorld()
	if err != nil {
		b.fatal("%v", err)
	}
	r := call(b, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ContextID: id})
	if r.Result == nil || r.Result.ObjectID == "" {
		b.fatal("there is no %s", what)
	}
	return element{b, r.Result.ObjectID, what}
}

// submit clicks the last button of a name: the one of the form that was opened last, which
// a dialog shows above the page.
func (b *tab) submit(name string) {
	b.t.Helper()
	b.await("there is no button "+name, func() bool { return b.has("button", name) })
	all := b.look(nil, "button", name)
	all[len(all)-1].click()
}

// disabled reports whether a button cannot be clicked.
func (e element) disabled() bool {
	e.tab.t.Helper()
	return on[bool](e, "function() { return this.disabled }")
}
