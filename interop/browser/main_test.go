package browser

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// scratch is the directory of everything that the tests write.
var scratch string

// ending is what runs after the last test, the latest first.
var ending struct {
	sync.Mutex
	list []func()
}

// atEnd has something done after the last test.
func atEnd(f func()) {
	ending.Lock()
	defer ending.Unlock()
	ending.list = append(ending.list, f)
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cardea-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	for i := len(ending.list) - 1; i >= 0; i-- {
		ending.list[i]()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// programs are the names that Chromium goes by.
var programs = []string{"chromium", "chromium-browser", "google-chrome"}

// chromium starts the one browser of all tests. The context is of a tab that stays empty.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range programs {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, fmt.Errorf("there is no Chromium here: apt-get install chromium, or run scripts/interop as root")
	}
	ca, err := authority()
	if err != nil {
		return nil, err
	}
	spki := sha256.Sum256(ca.cert.RawSubjectPublicKeyInfo)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(scratch, "chromium")),
		// The authority of the worlds below is as good as any other to this browser.
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(spki[:])),
		chromedp.Flag("lang", "en-GB"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.WindowSize(1280, 900),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			c.Env = append(os.Environ(), "TZ=Europe/Berlin")
		}),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(allocator)
	atEnd(func() { leave(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("%s does not start: %w", path, err)
	}
	return ctx, nil
})
