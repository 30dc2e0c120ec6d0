package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
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

// masterKeySetting is the name under which a database keeps the fingerprint of the
// master key that seals its secrets.
const masterKeySetting = "master_key"

// checkMasterKey refuses to start with another master key than the one that sealed
// what is in the database. Where nothing is sealed a new key is taken over: every
// other secret is kept as a hash and needs none.
func (s *Server) checkMasterKey(ctx context.Context, sealer *secret.Sealer) error {
	known, err := s.store.Setting(ctx, masterKeySetting)
	if err != nil || known == sealer.Fingerprint() {
		return err
	}
	if known != "" {
		sealed, err := s.store.HasSealed(ctx)
		if err != nil {
			return err
		}
		if sealed {
			return fmt.Errorf("master key: %s is not the key that sealed the secrets in this database; put that one in its place", s.settings.masterKeyFile())
		}
		s.log.Warn("the database is given another master key", slog.String("file", s.settings.masterKeyFile()))
	}
	_, err = s.store.Update(ctx, self, func(tx *store.Tx) error {
		tx.Audit(store.Event{
			Action: "server.master_key", TargetType: "server", TargetID: masterKeySetting,
			Detail: map[string]string{"before": known, "after": sealer.Fingerprint()},
		})
		return tx.SetSetting(ctx, masterKeySetting, sealer.Fingerprint())
	})
	return err
}
