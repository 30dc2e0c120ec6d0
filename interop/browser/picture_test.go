package browser

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/page"
)

// largest is the most that a picture weighs, in bytes.
const largest = 100_000

// picture keeps a picture of the page under docs/images when CARDEA_PICTURES names that
// directory (or another, from the root of the repository): NAME/shape.webp.
func (b *tab) picture(shape string) {
	b.t.Helper()
	dir := os.Getenv("CARDEA_PICTURES")
	if dir == "" {
		return
	}
	name := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(shape, "/dashboard"), "/", "-"), "-")
	name = strings.ReplaceAll(name, "…", "one")
	if name == "" {
		name = "home"
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("../..", dir)
	}
	dir = filepath.Join(dir, b.world.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	image := b.capture()
	if err := os.WriteFile(filepath.Join(dir, name+".webp"), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// capture takes a picture of the page, to its end or to three screens of it.
func (b *tab) capture() []byte {
	b.t.Helper()
	height := eval[float64](b, "Math.min(2700, Math.max(600, document.documentElement.scrollHeight))")
	beyond := true
	for quality := int64(85); ; quality -= 15 {
		shot := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatWebp, Quality: &quality, CaptureBeyondViewport: &beyond,
			Clip: &page.Viewport{Width: 1280, Height: height, Scale: 1},
		})
		if len(shot.Data) <= largest || quality < 30 {
			return shot.Data
		}
	}
}
