// Package behaviour holds the sets of switches that a server can run under.
// strict is the default and aidbox follows the Aidbox tutorial; both are data
// files in this package, and people bring files of their own.
//
// One table, Table, says of every switch what it is called, what it takes, what
// it means and how it is read and written as text; it drives the reader of
// files, what the server tells over HTTP and on its pages, the documentation
// and the Go API. What a switch does is for the packages authz and
// internal/bulk.
package behaviour
