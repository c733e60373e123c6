package platform

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// The ways in which a request gets no answer: fixed texts, because the errors of
// net/http hold URLs, ephemeral ports and pieces of answers, which must reach
// neither a condition (it would differ at every try) nor a log.
var (
	errDNS         = errors.New("name resolution failed")
	errTLS         = errors.New("TLS handshake failed")
	errAuthority   = errors.New("TLS certificate signed by an unknown authority")
	errCertName    = errors.New("TLS certificate is for another host")
	errCertInvalid = errors.New("TLS certificate is expired or not valid for this use")
	errRefused     = errors.New("connection refused")
	errReset       = errors.New("connection reset")
	errClosed      = errors.New("connection closed before the end of the answer")
	errNoAnswer    = errors.New("request failed")
)

// timeout is the one of them that also is context.DeadlineExceeded.
type timeout struct{}

func (timeout) Error() string        { return "timed out" }
func (timeout) Is(target error) bool { return target == context.DeadlineExceeded }

// CallError turns the error of a request made with ctx, or of reading its answer,
// into an *Error without URL, address or answer. Its kind is KindUnavailable, or
// KindInvalid where the request was refused before it was sent. If ctx is done,
// errors.Is finds its context.Canceled or context.DeadlineExceeded.
func CallError(ctx context.Context, op string, err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if ctx.Err() != nil {
		return &Error{Kind: KindUnavailable, Op: op, Err: ctx.Err()}
	}
	if errors.Is(err, ErrForeignHost) {
		return &Error{Kind: KindInvalid, Op: op, Err: ErrForeignHost}
	}
	return &Error{Kind: KindUnavailable, Op: op, Err: cause(err)}
}

// cause is the fixed error that describes err.
func cause(err error) error {
	for _, known := range []error{ErrBodyTooLarge, ErrRedirect, context.Canceled} {
		if errors.Is(err, known) {
			return known
		}
	}
	if timedOut(err) {
		return timeout{}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return errDNS
	}
	if c := tlsCause(err); c != nil {
		return c
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errClosed
	}
	return errNoAnswer
}

// timedOut looks behind *url.Error, which is a net.Error of its own.
func timedOut(err error) bool {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// tlsCause is the fixed error for one of TLS, else nil.
func tlsCause(err error) error {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return errAuthority
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return errCertName
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return errCertInvalid
	}
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	if verify || record || alert || errors.Is(err, http.ErrSchemeMismatch) {
		return errTLS
	}
	return nil
}
