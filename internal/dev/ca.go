package dev

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/internal/server"
)

// An authority is the certificate authority of one data directory. Its key never leaves
// the directory, and it may sign for the names it is asked for only: whoever trusts it
// does so for the time of a development.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM file of the certificate

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // :: names, joined → certificate
}

const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	leafLifetime      = 365 * 24 * time.Hour
)

// openAuthority reads the authority kept in dir, or makes one.
func openAuthority(dir string) (*authority, error) {
	a := &authority{file: filepath.Join(dir, "ca.pem")}
	keyFile := filepath.Join(dir, "ca-key.pem")
	pair, err := tls.LoadX509KeyPair(a.file, keyFile)
	switch {
	case err == nil:
		a.cert, a.key = pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
		return a, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("development CA: %w (delete ca.pem and ca-key.pem to have a new one)", err)
	}
	if err := a.create(); err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalECPrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	if err := server.WritePrivate(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})); err != nil {
		return nil, err
	}
	return a, server.WritePrivate(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

// create makes key and certificate.
func (a *authority) create() (err error) {
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "Cardea development CA"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(authorityLifetime),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		return err
	}
	a.cert, err = x509.ParseCertificate(der)
	return err
}

// pool returns the authority as one to believe, and none besides.
func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// maxLeaves bounds the certificates that are kept; a client may ask for any name.
const maxLeaves = 64

// forClient returns the certificate for the name that a client asks for (RFC 6066 §3):
// one for all of the contract's names if it is one of them or none, else one of its
// own, since any host name works here.
func (a *authority) forClient(hello *tls.ClientHelloInfo, names []string) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" || name == "localhost" || slices.Contains(names, name) || !isHostName(name) {
		return a.certificate(names)
	}
	return a.certificate([]string{name})
}

// isHostName reports whether a name may stand in a certificate.
func isHostName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-."
	return len(name) <= 253 && strings.Trim(name, allowed) == "" && !strings.Contains(name, "..") && name[0] != '.'
}

// certificate returns a leaf for the names, localhost and the loopback addresses,
// making it the first time.
func (a *authority) certificate(names []string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	joined := strings.Join(names, " ")
	if leaf, ok := a.leaves[joined]; ok {
		return leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "Cardea development"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     append([]string{"localhost"}, names...),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	if a.leaves == nil || len(a.leaves) >= maxLeaves {
		a.leaves = map[string]*tls.Certificate{}
	}
	a.leaves[joined] = &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
	return a.leaves[joined], nil
}

// serial returns a random serial number of 127 bits.
func serial() *big.Int {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return n
}
