// Package portal is the payer's developer portal without its pages: backend
// services, which are registered, described, submitted for review and approved
// or rejected, as a payer does with them.
//
// A service is a client of the sandbox environment, whose status is the
// service's own. Approval copies the client to production; the copy goes on as
// it was approved while its service is edited and reviewed again. So everything
// that registers clients makes services: the portal, RFC 7591, the Go API.
// Clients that an administrator put by themselves are none.
//
// The package has the rules and leaves pages and HTTP to internal/httpapi. It
// imports authz and internal/jose.
package portal
