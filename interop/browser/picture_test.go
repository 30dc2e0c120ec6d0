package browser

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/page"
)

// largest is the most that a picture weighs, in bytes.
const largest = 100_000

// picture keeps a picture of the page under docs/images when CARDEA_PICTURES names that
// directory (or another, from the root of the repository): CONTRACT/NAME.webp.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("CARDEA_PICTURES")
	if dir == "" {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("../..", dir)
	}
	dir = filepath.Join(dir, b.world.name)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".webp"), b.capture(), 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

// portray keeps pictures of a page that was come to: every page of one product, those of
// keys of all of them, and some in the dark and on a phone.
func (b *tab) portray(shape string) {
	b.t.Helper()
	if os.Getenv("CARDEA_PICTURES") == "" {
		return
	}
	name := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(shape, "/dashboard"), "/", "-"), "-")
	name = strings.ReplaceAll(name, "…", "one")
	several := name == "keys" || name == "credentials" || name == "usage"
	if name == "" || b.world.name != "cohera-sdk" && !several {
		return
	}
	b.picture(name)
	if !several {
		return
	}
	b.scheme("dark")
	b.picture(name + "-dark")
	b.scheme("light")
	b.size(360, 740)
	b.picture(name + "-phone")
	b.size(1280, 900)
}

// capture takes a picture of the page, to its end or to three screens of it.
func (b *tab) capture() []byte {
	b.t.Helper()
	// A chart is drawn again a moment after the page changed its size.
	eval[any](b, "new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 150))")
	width := eval[float64](b, "document.documentElement.clientWidth")
	height := eval[float64](b, "Math.min(2700, Math.max(600, document.documentElement.scrollHeight))")
	beyond := true
	for quality := int64(70); ; quality -= 15 {
		shot := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatWebp, Quality: &quality, CaptureBeyondViewport: &beyond,
			Clip: &page.Viewport{Width: width, Height: height, Scale: 1},
		})
		if len(shot.Data) <= largest || quality < 30 {
			return shot.Data
		}
	}
}
