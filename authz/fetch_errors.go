package authz

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// unreachable explains a fetch that got no usable answer. With a payer this
// happens at token time, so the text says from where the URL was tried.
func (f *Fetcher) unreachable(uri string, err error, record *Fetch, connected bool) *FetchError {
	took := seconds(f.cfg.Clock.Now().Sub(record.At))
	e := &FetchError{URI: uri, Finding: "J01", Err: err}
	var wrapped *url.Error
	cause := err
	if errors.As(err, &wrapped) {
		cause = wrapped.Err
	}
	var blocked *blockedError
	var dns *net.DNSError
	begin := "GET " + clip(uri) + " failed"
	const reachable = "Publish the key set where the server can reach it when a token is asked for: no " +
		"firewall, no VPN. In containers, localhost is the container itself."
	switch {
	case errors.As(err, &blocked):
		e.Short = "an address that is not allowed"
		e.Text = "GET " + clip(uri) + " was not sent: " + blocked.Error() + "."
		e.Fix = blockedAdvice(blocked)
	case errors.Is(err, errRedirect):
		e.Finding, e.Short = "J03", "a redirect that is not followed"
		e.Text = begin + ": " + redirectText(cause) + "."
		e.Fix = "Answer with the key set itself."
	case isTLS(cause):
		e.Finding, e.Short = "J02", "TLS failed"
		e.Text = begin + ", TLS: " + clip(cause.Error()) + "." + chain(cause)
		e.Fix = tlsAdvice(cause)
	case errors.As(err, &dns):
		e.Short = "the host's name is unknown"
		e.Text = begin + ": the name " + quote(dns.Name) + " cannot be resolved where the server runs."
		e.Fix = "Check that it is spelled right and known outside your network. In containers, localhost is " +
			"the container itself."
	case errors.Is(err, context.DeadlineExceeded) && connected:
		e.Finding, e.Short = "J09", "no answer within "+seconds(f.cfg.Timeout)
		e.Text = begin + ": connected, but no complete answer within " + seconds(f.cfg.Timeout) + "."
		e.Fix = "Serve the key set as a static file."
	case errors.Is(err, context.DeadlineExceeded):
		e.Short = "no connection within " + seconds(f.cfg.Timeout)
		e.Text = begin + ": no connection within " + seconds(f.cfg.Timeout) + "."
		e.Fix = reachable
	default:
		e.Short = clip(cause.Error())
		e.Text = begin + " after " + took + ": " + clip(cause.Error()) + "."
		e.Fix = reachable
	}
	return e
}

// redirectText says why a redirect was not followed.
func redirectText(cause error) string {
	var target *FetchError
	if errors.As(cause, &target) {
		return "the redirect was not followed, because " + strings.TrimSuffix(target.Text, ".")
	}
	return strings.TrimSuffix(cause.Error(), ".")
}

func blockedAdvice(b *blockedError) string {
	switch b.class {
	case publicAddress:
		return "Use https."
	case loopbackAddress, privateAddress:
		return "Publish the key set at a public https address, since a payer cannot reach this one either; " +
			"or register it by value, or let this server reach private addresses by its switch."
	}
	return "Publish the key set at a public https address."
}

func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &header) || errors.As(err, &alert) ||
		errors.Is(err, http.ErrSchemeMismatch) || strings.HasPrefix(err.Error(), "tls: ") ||
		strings.HasPrefix(err.Error(), "remote error: tls: ")
}

// chain tells which certificates the host sent.
func chain(err error) string {
	var verification *tls.CertificateVerificationError
	if !errors.As(err, &verification) {
		return ""
	}
	var names []string
	for _, cert := range verification.UnverifiedCertificates {
		names = append(names, certificateName(cert)+" issued by "+quote(cert.Issuer.CommonName))
	}
	if len(names) == 0 {
		return ""
	}
	return " Chain sent: " + clip(strings.Join(names, "; ")) + "."
}

func certificateName(cert *x509.Certificate) string {
	if cert.Subject.CommonName == "" && len(cert.DNSNames) > 0 {
		return quote(cert.DNSNames[0])
	}
	return quote(cert.Subject.CommonName)
}

func tlsAdvice(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "Serve the full chain of a public authority: this one leads to none that is known, so the " +
			"certificate is self-signed or the intermediate one is missing. Payers take nothing else."
	case errors.As(err, &host):
		return "Use the name that the certificate was issued for, or get one for this name."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "Renew the certificate, or mend the clock of one of the two machines."
	case errors.Is(err, http.ErrSchemeMismatch):
		return "Check the port: this one speaks plain HTTP."
	}
	return "Serve TLS 1.2 or newer with a certificate of a public authority."
}
