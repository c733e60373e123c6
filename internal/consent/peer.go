package consent

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"
)

// peerPatience bounds how long another replica may take to take a connection, and to
// answer.
const peerPatience = 4 * time.Second

// peer is where a replica takes what came to another one, and the certificate by which
// it is known there. The address of a pod that is gone may be another's the moment after:
// whoever has not the key gets nothing.
type peer struct {
	address string
	pin     string
}

// String is how a replica announces itself: "address fingerprint". Neither is a secret.
func (p peer) String() string { return p.address + " " + p.pin }

var errPeer = errors.New("another replica is not who it was announced as")

func parsePeer(text string) (peer, error) {
	address, pin, ok := strings.Cut(text, " ")
	if _, _, err := net.SplitHostPort(address); !ok || err != nil || len(pin) != 2*sha256.Size {
		return peer{}, errPeer
	}
	return peer{address, pin}, nil
}

func fingerprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}

// newCertificate makes a key for the life of this process, and a certificate of it that
// nobody has to sign: others compare its fingerprint.
func newCertificate(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mithaq"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}, nil
}

// transport reaches a peer and nobody else: once, without a proxy, over a connection of
// its own, so that nothing is sent a second time.
func (p peer) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: peerPatience}
	return &http.Transport{
		DisableKeepAlives: true, TLSHandshakeTimeout: peerPatience, ResponseHeaderTimeout: peerPatience,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, p.address)
		},
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS13,
			InsecureSkipVerify: true, //nolint:gosec // no authority signs for pods; VerifyConnection compares the very certificate
			VerifyConnection: func(s tls.ConnectionState) error {
				if len(s.PeerCertificates) != 1 || fingerprint(s.PeerCertificates[0].Raw) != p.pin {
					return errPeer
				}
				return nil
			},
		},
	}
}
