package server

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// masterKeyBytes is the length of the master key.
const masterKeyBytes = 32

// loadMasterKey reads the master key, which seals what a contract wants viewable again,
// and makes one on the first start. The file holds base64 and a newline. A file that is
// there and does not hold a key stops the start: sealing with another key would make
// what is sealed already unreadable for good.
func loadMasterKey(name string) (key [masterKeyBytes]byte, created bool, err error) {
	text, created, err := loadOrCreate(name, func() []byte {
		var fresh [masterKeyBytes]byte
		rand.Read(fresh[:]) // never fails, it would crash the program instead
		return append(base64.StdEncoding.AppendEncode(nil, fresh[:]), '\n')
	})
	if err != nil {
		return key, false, fmt.Errorf("master key: %w", err)
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(decoded) != masterKeyBytes {
		return key, false, fmt.Errorf("master key: %s does not hold %d bytes in base64; restore the file from its backup", name, masterKeyBytes)
	}
	copy(key[:], decoded)
	return key, created, nil
}
