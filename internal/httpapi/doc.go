// Package httpapi is everything that Sandfhir says over HTTP. It parses a
// request, asks the packages below it, and renders what they decide: OAuth
// errors in one place, OperationOutcomes in another.
//
// routes.go lists every method, path and handler. Every request passes the
// same seams in the same order: it is located (which workspace, which
// environment, which URLs), recorded, put to the faults, and routed. It is the
// only package that imports Fiber.
package httpapi
