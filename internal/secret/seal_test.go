package secret

import (
	"bytes"
	"errors"
	"testing"
)

func sealer(t testing.TB, fill byte) *Sealer {
	t.Helper()
	s, err := NewSealer(bytes.Repeat([]byte{fill}, MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealedTextOpensWithItsKeyAtItsPlaceOnly(t *testing.T) {
	s, other := sealer(t, 1), sealer(t, 2)
	aad := AAD("credential_secret", "key_1", 1)
	sealed := s.Seal(aad, []byte("plain"))

	if got, err := s.Open(aad, sealed); err != nil || string(got) != "plain" {
		t.Fatalf("Open: %q, %v", got, err)
	}
	if _, err := other.Open(aad, sealed); !errors.Is(err, ErrForeignKey) {
		t.Errorf("other master key: %v", err)
	}
	if _, err := s.Open(AAD("credential_secret", "key_2", 1), sealed); !errors.Is(err, ErrSealed) {
		t.Errorf("moved to another row: %v", err)
	}
	if bytes.Contains(sealed, []byte("plain")) || bytes.Equal(sealed, s.Seal(aad, []byte("plain"))) {
		t.Error("sealing the same text twice must give two different texts")
	}
	if s.Fingerprint() == other.Fingerprint() || len(s.Fingerprint()) != 16 {
		t.Errorf("fingerprints %s, %s", s.Fingerprint(), other.Fingerprint())
	}
}

// Guarantee: no changed bit of a sealed text goes unnoticed.
func TestDamagedSealIsRefused(t *testing.T) {
	s := sealer(t, 1)
	sealed := s.Seal("a", []byte("plain"))
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := s.Open("a", bad); err == nil {
				t.Fatalf("byte %d bit %d changed, opened all the same", i, bit)
			}
		}
		if _, err := s.Open("a", sealed[:i]); err == nil {
			t.Fatalf("cut to %d bytes, opened all the same", i)
		}
	}
}

func TestMasterKeyOfWrongSizeIsRefused(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewSealer(make([]byte, n)); !errors.Is(err, ErrMasterKey) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func FuzzOpenNeverPanics(f *testing.F) {
	s := sealer(f, 1)
	f.Add("a", s.Seal("a", []byte("plain")))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, aad string, sealed []byte) {
		_, _ = s.Open(aad, sealed) // only the absence of a panic matters
	})
}
