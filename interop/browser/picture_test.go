package browser

import (
	"cmp"
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

// pictureName returns the name of the picture of a page by the shape of its path.
func pictureName(shape string) string {
	name := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(shape, "/dashboard"), "/", "-"), "-")
	return cmp.Or(strings.ReplaceAll(name, "…", "one"), "home")
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
