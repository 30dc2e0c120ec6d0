package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// The environment that turns this test binary into a program that creates and revokes
// keys until it is killed.
const (
	crashDir = "CARDEA_TEST_CRASH_DIR"
	crashDSN = "CARDEA_TEST_CRASH_DSN"
	crashRun = "CARDEA_TEST_CRASH_RUN" // makes its ids its own
	// crashRounds in the environment of the tests sets how often to kill.
	crashRounds = "CARDEA_TEST_KILLS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := createAndRevoke(store.Config{Dir: dir, DSN: os.Getenv(crashDSN)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// createAndRevoke prints "+id" for a key once its creation was acknowledged and "-id"
// once its revocation was.
func createAndRevoke(cfg store.Config) error {
	ctx := context.Background()
	db, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := 0; err == nil; i++ {
				id := fmt.Sprintf("key_%s_%d_%d", os.Getenv(crashRun), w, i)
				if create(ctx, db, id) != nil {
					return
				}
				fmt.Println("+" + id) // one write, so lines stay whole
				if i%2 == 0 {
					if revoke(ctx, db, id) != nil {
						return
					}
					fmt.Println("-" + id)
				}
			}
		})
	}
	wg.Wait()
	return nil
}

func create(ctx context.Context, db *store.DB, id string) error {
	_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "key.create", TargetType: "credential", TargetID: id})
		if err := tx.InsertCredential(ctx, store.Credential{ID: id, Organization: "org_1", Kind: "api_key"}); err != nil {
			return err
		}
		return tx.InsertSecret(ctx, store.CredentialSecret{Hash: secret.HashOf(id), Credential: id})
	})
	return err
}

func revoke(ctx context.Context, db *store.DB, id string) error {
	_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
		c, err := tx.Credential(ctx, id)
		if err != nil {
			return err
		}
		tx.Audit(store.Event{Action: "key.revoke", TargetType: "credential", TargetID: id})
		c.RevokedAt, c.RevokedReason = tx.Now(), "test"
		return tx.UpdateCredential(ctx, c)
	})
	return err
}

// killed starts the program, kills it under load, and returns the acknowledgements that
// it printed and how long it took to be ready.
func killed(t *testing.T, cfg store.Config, round int) ([]string, time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+cfg.Dir, crashDSN+"="+cfg.DSN, crashRun+"="+strconv.Itoa(round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the program said %q, %v", line, err)
	}
	ready := time.Since(start)
	kill := time.AfterFunc(time.Duration(50+37*(round%7))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the program ended by itself: %v", err)
	}
	acks := strings.Split(string(rest), "\n")
	return acks[:len(acks)-1], ready // what follows the last newline was not finished
}

func TestKilledProcessLosesNoAcknowledgedChange(t *testing.T) {
	rounds := 12
	if n, err := strconv.Atoi(os.Getenv(crashRounds)); err == nil {
		rounds = n
	}
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		db, err := store.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		people(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		var acks []string
		var slowest time.Duration
		for round := range rounds {
			more, ready := killed(t, cfg, round)
			acks, slowest = append(acks, more...), max(slowest, ready)
		}
		db = storetest.OpenConfig(t, cfg)
		created, revoked, lost := 0, 0, 0
		for _, ack := range acks {
			l, err := db.LookupSecret(t.Context(), secret.HashOf(ack[1:]))
			switch {
			case err != nil:
				t.Fatal(err)
			case ack[0] == '+' && l.Found:
				created++
			case ack[0] == '-' && !l.Credential.RevokedAt.IsZero():
				revoked++
			default:
				lost++
			}
		}
		t.Logf("%d kills: %d creations and %d revocations acknowledged, %d lost; ready again in at most %v",
			rounds, created, revoked, lost, slowest.Round(time.Millisecond))
		if lost > 0 || revoked == 0 {
			t.Errorf("%d acknowledged changes were lost", lost)
		}
		tree, err := db.VerifyAudit(t.Context())
		if err != nil || tree.Size < int64(created+revoked) {
			t.Errorf("the audit log has %d events (%v) for %d changes", tree.Size, err, created+revoked)
		}
	})
}
