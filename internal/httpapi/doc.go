// Package httpapi is everything that Sandfhir says over HTTP. It parses a
// request, asks the packages below it, and renders what they decide. One
// function, call.fail, renders every refusal.
//
// routes.go lists every method, path and handler. Every request passes the
// same seams in the order in which New puts them: it is located (which
// workspace, which environment, which URLs), recorded, admitted, put to the
// faults, and routed. It is the only package that imports Fiber.
package httpapi
