package password

// Occupy takes every turn of a Hasher until the function it returns is called.
func Occupy(h *Hasher) (free func()) {
	n := cap(h.slots)
	for range n {
		h.line <- struct{}{}
		h.slots <- struct{}{}
	}
	return func() {
		for range n {
			h.leave()
		}
	}
}
